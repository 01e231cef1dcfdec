//! The closed set of what a message can say about a patient, their clinic and their next visit.

use std::fmt;

/// A value that a template may ask for, named as a clinic's staff writes it: `{{paciente}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The patient's given name.
    Paciente,
    /// The given name of a minor's guardian; without a value in a message to anybody else.
    Tutor,
    /// Who writes or calls for the clinic.
    Agente,
    /// The clinic's name.
    Clinica,
    /// The clinic's telephone or address for questions.
    ContactoClinica,
    /// The service of the last visit; clinical detail, so only where the clinic allows it.
    Servicio,
    /// The day of an appointment, or until when a free slot is held.
    Fecha,
    /// The time of an appointment.
    Hora,
    /// The professional of an appointment.
    Profesional,
    /// The first free slot offered.
    FechaOpcion1,
    /// The second free slot offered.
    FechaOpcion2,
    /// The offer as one or two sentences; see [`crate::offer::Offer::phrase`].
    Oferta,
    /// The signed link on which a slot is chosen.
    EnlaceReserva,
    /// The signed link that ends all messages.
    EnlaceBaja,
    /// Completed sessions of the plan.
    SesionesHechas,
    /// Sessions of the plan in all.
    SesionesTotal,
}

impl Variable {
    /// All of them, as declared.
    pub const ALL: [Self; 16] = [
        Self::Paciente,
        Self::Tutor,
        Self::Agente,
        Self::Clinica,
        Self::ContactoClinica,
        Self::Servicio,
        Self::Fecha,
        Self::Hora,
        Self::Profesional,
        Self::FechaOpcion1,
        Self::FechaOpcion2,
        Self::Oferta,
        Self::EnlaceReserva,
        Self::EnlaceBaja,
        Self::SesionesHechas,
        Self::SesionesTotal,
    ];

    /// The name between the braces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paciente => "paciente",
            Self::Tutor => "tutor",
            Self::Agente => "agente",
            Self::Clinica => "clinica",
            Self::ContactoClinica => "contacto_clinica",
            Self::Servicio => "servicio",
            Self::Fecha => "fecha",
            Self::Hora => "hora",
            Self::Profesional => "profesional",
            Self::FechaOpcion1 => "fecha_opcion_1",
            Self::FechaOpcion2 => "fecha_opcion_2",
            Self::Oferta => "oferta",
            Self::EnlaceReserva => "enlace_reserva",
            Self::EnlaceBaja => "enlace_baja",
            Self::SesionesHechas => "sesiones_hechas",
            Self::SesionesTotal => "sesiones_total",
        }
    }

    /// The variable of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.name() == name)
    }

    /// Whether its value is an address to follow; links are never shortened.
    #[must_use]
    pub const fn is_link(self) -> bool {
        matches!(self, Self::EnlaceReserva | Self::EnlaceBaja)
    }

    /// The most characters its value may take in a message. Longer values are cut at a word (a
    /// link is not), and the lint counts with this, so a template that passes it fits when filled.
    #[must_use]
    pub const fn chars_max(self) -> usize {
        match self {
            Self::SesionesHechas | Self::SesionesTotal => 4,
            Self::Hora => 16,
            Self::Paciente | Self::Tutor | Self::Agente | Self::Fecha => 40,
            Self::Clinica | Self::Profesional | Self::FechaOpcion1 | Self::FechaOpcion2 => 60,
            Self::ContactoClinica | Self::Servicio => 80,
            Self::EnlaceReserva | Self::EnlaceBaja => 200,
            Self::Oferta => 300,
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
