"""The people of the demo: who they are and how to log in as one of them."""

from dataclasses import dataclass

from o2b.people.groups import ADMINISTRATOR, FINANCE, ORDER_LEAD, ORDER_TEAM, PRODUCT, SALES

PASSWORD = "o2b-demo"


@dataclass(frozen=True, slots=True)
class Person:
    """A log-in of the demo."""

    username: str
    first_name: str
    last_name: str
    group: str


PEOPLE = (
    Person("jonas", "Jonas", "Weber", SALES),
    Person("mara", "Mara", "Lindqvist", SALES),
    Person("ada", "Ada", "Okafor", ORDER_TEAM),
    Person("samir", "Samir", "Kaya", ORDER_LEAD),
    Person("priya", "Priya", "Nair", FINANCE),
    Person("tomas", "Tomás", "Rivera", FINANCE),
    Person("nora", "Nora", "Haddad", PRODUCT),
    Person("felix", "Felix", "Brandt", PRODUCT),
    Person("ines", "Inès", "Moreau", ADMINISTRATOR),
)
