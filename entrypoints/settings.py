"""The app's settings: `.env.example` explains each."""

from entrypoints.kernel.service_settings import ServiceSettings


class AppSettings(ServiceSettings):
    """The settings of the service (`ServiceSettings`), and your own.

    To add a setting, declare a field with a type and a default, and explain it in `.env.example`:

        page_size: Annotated[int, Field(ge=1, le=200)] = 50

    The environment variable is `APP_PAGE_SIZE`. The container (`entrypoints/container.py`) passes
    the value to what needs it.
    """
