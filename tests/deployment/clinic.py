"""A made-up clinic whose week fits into minutes.

The functions read the machine's clock, so the clinic is put where it is evening now: its day began long
ago, and whatever is due on the day of a sequence's first message is due at once. The hours end a few
minutes ahead while the wave is enrolled, because first messages are spread over the hours that are left.
"""

import csv
import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

EVENING = 20  # the hour on the clinic's clock
LOCAL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

COLUMNS = (
    "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,paciente_email,"
    "profesional,servicio,estado,importe,sesion,sesiones_total,convenio,origen_lead,consentimiento,actualizado,"
    "fecha_nacimiento,tutor_nombre,tutor_contacto,tutor_email"
).split(",")

# Texts of a patient in the segment of those away for a year (the usual sequence), and for longer (the
# sequence whose steps all fall on the first day).
YEAR, LONGER = 420, 700

SETTINGS = """
name = "Clínica Aurora"
agent = "Ana"
contact = "la recepción"
zone = "{zone}"
country = "AR"
email_from = "hola@{id}.example"
whatsapp_phone_number_id = "{number}"

[hours]
{hours}

[closures]
write_on_holidays = true

[limits]
per_day_max = 9

[[segments]]
id = "inactivo-12-18m"
goal = "volver a la clínica"
rules = [{{ last_visit_days = {{ min = 365, max = 539 }} }}]

[[segments]]
id = "churn-18m"
flow = "un-dia"
goal = "saber si quieren seguir en contacto"
rules = [{{ last_visit_days = {{ min = 540 }} }}]

[[flows]]
id = "reactivacion"
version = 1
close_after_days = 10
steps = [
  {{ id = "d1", offset_days = 0, channel = "whatsapp" }},
  {{ id = "d3", offset_days = 2, channel = "email" }},
  {{ id = "d6", offset_days = 5, channel = "whatsapp" }},
  {{ id = "d8", offset_days = 7, channel = "call" }},
]
[flows.branches]
yes = "book_now"
click = "high_intent"
no = "close"
opt_out = "close"
unclear = "hand_over"
unread = "next_step"
silence = "close"

[[flows]]
id = "un-dia"
version = 1
close_after_days = 10
steps = [
  {{ id = "d1", offset_days = 0, channel = "whatsapp" }},
  {{ id = "d3", offset_days = 0, channel = "email" }},
  {{ id = "d6", offset_days = 0, channel = "whatsapp" }},
  {{ id = "d8", offset_days = 0, channel = "call" }},
]
[flows.branches]
yes = "book_now"
click = "high_intent"
no = "close"
opt_out = "close"
unclear = "hand_over"
unread = "next_step"
silence = "close"
"""


@dataclass
class Patient:
    id: str
    away_days: int = YEAR
    consent: str = "opt-in 2024-01-15"
    phone: str = ""
    born: str = ""
    # An appointment to come.
    booked: bool = False

    def __post_init__(self):
        self.phone = self.phone or phone_of(self.id)

    @property
    def email(self) -> str:
        return f"{self.id}@example.org"


@dataclass
class Clinic:
    id: str
    number: str
    patients: list[Patient] = field(default_factory=list)

    def __post_init__(self):
        self.zone, self.offset = evening_zone(datetime.now(timezone.utc))

    def now(self) -> datetime:
        return datetime.now(timezone.utc).astimezone(timezone(self.offset))

    def settings(self, minutes_left: int) -> str:
        """Open from midnight until so many full minutes from now, every day of the week."""
        closes = (self.now() + timedelta(minutes=minutes_left + 1)).strftime("%H:%M")
        hours = "\n".join(f'{day} = "00:00-{closes}"' for day in LOCAL_DAYS)
        return SETTINGS.format(id=self.id, zone=self.zone, number=self.number, hours=hours)

    def export(self) -> bytes:
        rows = io.StringIO()
        writer = csv.DictWriter(rows, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for patient in self.patients:
            writer.writerow(self._visit(patient, self.now() - timedelta(days=patient.away_days), "completado"))
            if patient.booked:
                writer.writerow(self._visit(patient, self.now() + timedelta(days=9), "reservado"))
        return rows.getvalue().encode()

    def _visit(self, patient: Patient, start: datetime, state: str) -> dict:
        return {
            "id_cita": f"{patient.id}-{start:%Y%m%d}",
            "fecha_hora_inicio": f"{start:%Y-%m-%d}T10:00:00",
            "zona_horaria": self.zone,
            "paciente_id": patient.id,
            "paciente_nombre": f"Lucía Prueba {patient.id}",
            "paciente_contacto": patient.phone,
            "paciente_email": patient.email,
            "profesional": "Dra. Lima",
            "servicio": "Control",
            "estado": state,
            "importe": "1200.00" if state == "completado" else "",
            "origen_lead": "web",
            "consentimiento": patient.consent,
            "fecha_nacimiento": patient.born,
        }

    def slots(self, days: int = 13, a_day: int = 4) -> bytes:
        lines = ["id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min"]
        for day in range(2, 2 + days):
            date = (self.now() + timedelta(days=day)).date()
            lines += [
                f"H{date:%m%d}{hour},{date}T{hour}:00:00,{self.zone},Dra. Lima,30" for hour in range(10, 10 + a_day)
            ]
        return ("\n".join(lines) + "\n").encode()


def phone_of(patient: str) -> str:
    """A mobile number of Buenos Aires; nothing here can send to it."""
    number = sum((place + 1) * 7919 * ord(letter) for place, letter in enumerate(patient)) % 1_000_000
    return f"+5491150{number:06d}"


def evening_zone(now: datetime) -> tuple[str, timedelta]:
    """The zone in which it is evening now. (The names of these zones count the other way round.)"""
    hours = EVENING - now.hour
    if hours > 12:
        hours -= 24
    name = "Etc/GMT" if hours == 0 else f"Etc/GMT{-hours:+d}"
    return name, timedelta(hours=hours)
