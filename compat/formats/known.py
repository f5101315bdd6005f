"""Every workflow format there is: what the command line, the server and the editor read and write."""

from typing import Final

from compat.formats.api_reader import read_api, recognises_api
from compat.formats.api_writer import write_api
from compat.formats.editor_reader import read_editor, recognises_editor
from compat.formats.editor_writer import write_editor
from compat.formats.parameters_reader import read_parameters, recognises_parameters, write_parameters
from graph.formats import DARKROOM, Format

API: Final = Format("api", "ComfyUI API", recognises_api, read_api, write_api)
EDITOR: Final = Format("editor", "ComfyUI editor", recognises_editor, read_editor, write_editor)
FORMATS: Final = (DARKROOM, EDITOR, API)
PARAMETERS: Final = Format(
    "parameters", "AUTOMATIC1111 parameters", recognises_parameters, read_parameters, write_parameters
)
READ_ONLY: Final = (PARAMETERS,)
"""Formats that say too little to be written."""
