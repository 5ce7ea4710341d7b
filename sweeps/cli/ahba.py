"""The command `gx2c data ahba`, with every option of abagen under its own name."""

from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.importing.ahba.options import ABAGEN_OPTIONS, NONE, AbagenOption


def data_ahba(
    atlas: Annotated[
        str,
        typer.Option(
            help="desikankilliany, schaefer100 to schaefer1000, an image, or labels of vertices."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the expression.")],
    surfaces: Annotated[
        tuple[str, str],
        typer.Option(
            help="Left and right surface, in MNI space, of the mesh of vertex labels.",
            show_default="fsaverage5",
        ),
    ] = ("", ""),
    atlas_info: Annotated[
        str,
        typer.Option(
            help="Table of the regions: id, hemisphere, structure.", show_default="of named atlases"
        ),
    ] = "",
    donors_dir: Annotated[
        str,
        typer.Option(
            "--donors-dir",
            "--data-dir",
            help="Folder that holds microarray/.",
            show_default="$ABAGEN_DATA or ~/abagen-data",
        ),
    ] = "",
    download: Annotated[
        bool, typer.Option("--download", help="Let abagen download missing donors.")
    ] = False,
    **values: Any,
) -> None:
    """Make the expression of a parcellation from the Allen Human Brain Atlas with abagen."""
    from gx2c.importing.ahba.make import AhbaRequest, make_expression

    request = AhbaRequest(
        atlas=atlas,
        options={name: value for name, value in values.items() if value is not None},
        atlas_info=atlas_info,
        surfaces=tuple(filter(None, surfaces)),
        donors_dir=donors_dir,
        download=download,
    )
    for line in make_expression(request, out, progress=print).lines():
        print(line)


def _parameter(name: str, one: AbagenOption) -> Parameter:
    """Return an option of abagen as a parameter that typer reads; None where it is not given."""
    flag = f"--{name.replace('_', '-')}"
    choices = f" One of {', '.join(one.choices)}." if one.choices else ""
    default = NONE if one.default is None else str(one.default).lower()
    shown = typer.Option(
        f"{flag}/--no-{flag[2:]}" if one.kind is bool else flag,
        help=one.help + choices,
        rich_help_panel="abagen.get_expression_data",
        show_default=default,
    )
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[one.kind | None, shown]
    )


# what typer and click read in place of `values`
_own = list(signature(data_ahba, eval_str=True).parameters.values())[:-1]
vars(data_ahba)["__signature__"] = Signature(
    [*_own, *(_parameter(name, one) for name, one in ABAGEN_OPTIONS.items())]
)
