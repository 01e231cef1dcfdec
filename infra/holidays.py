"""Writes shared/domain/data/holidays.csv, the days on which no patient is written to.

    python3 -m venv venv && venv/bin/pip install holidays
    venv/bin/python infra/holidays.py > shared/domain/data/holidays.csv

Run it when a government decrees a day (Argentina announces its bridge days a year ahead) and a new
version of the package has it; the tests of `retorno_domain::holiday` say whether the table is whole.
"""

import sys

# The first entry is this folder, where this very file would be taken for the package.
del sys.path[0]

import holidays  # noqa: E402

FIRST_YEAR, LAST_YEAR = 2012, 2040

# Nationwide days only: no subdivision is ever passed.
COUNTRIES = ("AR", "BR", "CL", "CO", "ES", "MX", "PE", "UY")

# Days the law leaves to each employer, on which the country is nevertheless shut: the package keeps
# them in another category than its public holidays. Names are those of the package, in English.
ALSO = {
    "BR": ("optional", {"Carnival", "Corpus Christi"}),
    "UY": ("bank", {"Carnival", "Tourism Week"}),
}


def days(country: str) -> dict:
    """The country's days, date to name in its own language; a public holiday's name wins."""
    calendar = getattr(holidays, country)
    years, language = range(FIRST_YEAR, LAST_YEAR + 1), calendar.default_language
    found = {}
    if country in ALSO:
        category, names = ALSO[country]
        english = calendar(years=years, language="en_US", categories=(category,))
        own = calendar(years=years, language=language, categories=(category,))
        for date in english:
            # Two holidays of one date are joined by "; ".
            if names & set(english[date].split("; ")):
                found[date] = own[date]
    found.update(calendar(years=years, language=language, categories=("public",)))
    return found


def main() -> None:
    out = [
        f"# Nationwide holidays {FIRST_YEAR}-{LAST_YEAR}, written by infra/holidays.py from the",
        f"# Python package holidays {holidays.__version__} (MIT). Days decreed later are not here.",
        "country,date,name",
    ]
    for country in COUNTRIES:
        for date, name in sorted(days(country).items()):
            if any(character in name for character in ',"\n\r'):
                sys.exit(f"{country} {date}: the name would need quoting, which the reader lacks")
            out.append(f"{country},{date},{name}")
    sys.stdout.buffer.write(("\n".join(out) + "\n").encode())


if __name__ == "__main__":
    main()
