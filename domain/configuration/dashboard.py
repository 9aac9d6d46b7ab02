"""Dashboard: tiles on a grid of twelve columns, each of one registered query, and who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal, assert_never, get_args

import msgspec
from msgspec import Meta

from domain.configuration import forms
from domain.configuration.kinds import Aggregate, Command, Event, Issued, Value, refuse
from domain.configuration.lifecycle import (
    Archive,
    Describe,
    Described,
    Rename,
    Renamed,
    Restore,
    after_switch,
    born,
    in_use,
    settings_changed,
    switched,
    unborn,
    with_settings,
)
from domain.errors import Invalid

COLUMNS = 12
MOST_TILES = 60
WHAT = "dashboard"
# Parameters that whoever looks at a dashboard gives to all its tiles that leave them open.
FILTERS = (
    *("user_id", "customer_id", "account_id", "strategy", "symbol", "side", "tag"),
    *("plan", "tier", "currency", "policy", "service", "operation", "entry_hour", "weekday"),
)


class Layout(Value, frozen=True):
    """Place of a tile on the grid: left and upper edge, width and height, in cells."""

    x: Annotated[int, Meta(ge=0, le=COLUMNS - 1, description="Left edge, 0 to 11.")]
    y: Annotated[int, Meta(ge=0, le=999, description="Upper edge.")]
    w: Annotated[int, Meta(ge=1, le=COLUMNS, description="Width; x + w is at most 12.")]
    h: Annotated[int, Meta(ge=1, le=100, description="Height.")]


TileKind = Literal[
    "number",
    "line",
    "area",
    "bar",
    "stacked_bar",
    "pie",
    "waterfall",
    "heat_map",
    "scatter",
    "histogram",
    "funnel",
    "flow",
    "candles",
    "table",
    "status",
    "text",
]


class Tile(Value, frozen=True):
    """One figure of a dashboard."""

    id: forms.Id
    title: forms.Name
    kind: Annotated[TileKind, Meta(description="How it is drawn.")]
    query: forms.QueryName
    layout: Layout
    params: forms.Params = msgspec.field(default_factory=dict)


class Sharing(Value, frozen=True):
    """Who sees the dashboard: its owner alone, everybody of the company, or the users listed (and its owner)."""

    audience: Annotated[Literal["private", "company", "users"], Meta(description="Who sees it.")] = "private"
    users: Annotated[
        tuple[forms.Subject, ...], Meta(max_length=500, description="Who, where the audience is `users`.")
    ] = ()


Tiles = Annotated[tuple[Tile, ...], Meta(max_length=MOST_TILES, description="At most 60 tiles that do not overlap.")]


class Contents(Value, frozen=True):
    """Everything about a dashboard that commands can set."""

    name: forms.Name
    description: forms.Prose = ""
    tiles: Tiles = ()
    sharing: Annotated[Sharing, Meta(description="Who sees it.")] = Sharing()


class Dashboard(Contents, frozen=True, kw_only=True):
    """State of a dashboard. `owner` is the subject that created it."""

    owner: str
    archived: bool = False


class CreateDashboard(Contents, Command, frozen=True):
    """Create a dashboard; who creates it owns it."""

    verb = "create"


class ChangeDashboard(Contents, Command, frozen=True):
    """Make the dashboard what this says, as a whole: what is left out becomes its default."""

    verb = "change"


class RenameDashboard(Rename, frozen=True):
    """Give the dashboard another name."""


class DescribeDashboard(Describe, frozen=True):
    """Describe the dashboard in words."""


class AddTile(Command, frozen=True):
    """Add a tile."""

    verb = "add_tile"
    tile: Annotated[Tile, Meta(description="The tile; its id is new to the dashboard.")]


class ChangeTile(Command, frozen=True):
    """Replace the tile that has this tile's id."""

    verb = "change_tile"
    tile: Annotated[Tile, Meta(description="What the tile with its id shall be.")]


class RemoveTile(Command, frozen=True):
    """Remove a tile."""

    verb = "remove_tile"
    tile_id: forms.Id


class ArrangeDashboard(Command, frozen=True):
    """Move tiles; those that are not named stay where they are."""

    verb = "arrange"
    layouts: Annotated[
        dict[str, Layout], Meta(min_length=1, max_length=MOST_TILES, description="Tile id to its place.")
    ]


class ShareDashboard(Command, frozen=True):
    """Say who sees the dashboard."""

    verb = "share"
    sharing: Annotated[Sharing, Meta(description="Who sees it.")]


class ArchiveDashboard(Archive, frozen=True):
    """Put the dashboard away: nobody sees it, its history stays."""


class RestoreDashboard(Restore, frozen=True):
    """Take an archived dashboard back into use."""


class DashboardCreated(Contents, Event, frozen=True, kw_only=True):
    """There is a new dashboard."""

    topic = "dashboard.created"
    owner: str


class DashboardRenamed(Renamed, frozen=True):
    """It has another name."""

    topic = "dashboard.renamed"


class DashboardDescribed(Described, frozen=True):
    """It has another description."""

    topic = "dashboard.described"


class TileAdded(Event, frozen=True):
    """It has one more tile, the last one."""

    topic = "dashboard.tile_added"
    tile: Tile


class TileChanged(Event, frozen=True):
    """The tile with this id is now this."""

    topic = "dashboard.tile_changed"
    tile: Tile


class TileRemoved(Event, frozen=True):
    """The tile with this id is gone."""

    topic = "dashboard.tile_removed"
    tile_id: str


class DashboardArranged(Event, frozen=True):
    """These tiles, and nothing else about them, have moved."""

    topic = "dashboard.arranged"
    layouts: dict[str, Layout]


class DashboardShared(Event, frozen=True):
    """Others see it now."""

    topic = "dashboard.shared"
    sharing: Sharing


class DashboardArchived(Event, frozen=True):
    """It was put away."""

    topic = "dashboard.archived"


class DashboardRestored(Event, frozen=True):
    """It is in use again."""

    topic = "dashboard.restored"


Setting = ChangeDashboard | RenameDashboard | DescribeDashboard | ShareDashboard
TileCommand = AddTile | ChangeTile | RemoveTile | ArrangeDashboard
DashboardCommand = CreateDashboard | Setting | TileCommand | ArchiveDashboard | RestoreDashboard
SettingEvent = DashboardRenamed | DashboardDescribed | DashboardShared
TileEvent = TileAdded | TileChanged | TileRemoved | DashboardArranged
LifeCycleEvent = DashboardArchived | DashboardRestored
DashboardEvent = DashboardCreated | SettingEvent | TileEvent | LifeCycleEvent


def decide(state: Dashboard | None, command: DashboardCommand, issued: Issued) -> tuple[DashboardEvent, ...]:
    """The events of a command. Raises Invalid naming the field, NotFound, Conflict."""
    match command:
        case CreateDashboard():
            unborn(state, WHAT)
            created = DashboardCreated(**msgspec.structs.asdict(command), owner=issued.actor)
            refuse(problems(created))
            return (created,)
        case ArchiveDashboard() | RestoreDashboard():
            return switched(state, command, WHAT, get_args(LifeCycleEvent))
        case AddTile() | ChangeTile() | RemoveTile() | ArrangeDashboard():
            before = in_use(state, WHAT)
            after = msgspec.structs.replace(before, tiles=_tiles(before.tiles, command))
        case ChangeDashboard() | RenameDashboard() | DescribeDashboard() | ShareDashboard():
            before = in_use(state, WHAT)
            after = with_settings(before, command)
        case _:
            assert_never(command)
    refuse(problems(after))
    return tuple(_differences(before, after))


def evolve(state: Dashboard | None, event: DashboardEvent) -> Dashboard:
    """The state after an event."""
    match event:
        case DashboardCreated():
            return Dashboard(**msgspec.structs.asdict(event))
        case DashboardArchived() | DashboardRestored():
            return after_switch(born(state, WHAT), event)
        case DashboardRenamed() | DashboardDescribed() | DashboardShared():
            return with_settings(born(state, WHAT), event)
        case TileAdded() | TileChanged() | TileRemoved() | DashboardArranged():
            existing = born(state, WHAT)
            return msgspec.structs.replace(existing, tiles=_tiles_after(existing.tiles, event))
        case _:
            assert_never(event)


def problems(contents: Contents) -> Iterator[str]:
    """What is wrong with a dashboard beyond the form of its fields."""
    if len(contents.tiles) > MOST_TILES:
        yield f"tiles: more than {MOST_TILES}"
    yield from forms.repeated("tiles", [tile.id for tile in contents.tiles], "id")
    for place, tile in enumerate(contents.tiles):
        if tile.layout.x + tile.layout.w > COLUMNS:
            yield f"tiles[{place}].layout: x + w is more than {COLUMNS}"
    for (i, one), (k, other) in combinations(enumerate(contents.tiles), 2):
        if _overlap(one.layout, other.layout):
            yield f"tiles[{k}].layout: overlaps tiles[{i}]"
    if (contents.sharing.audience == "users") != bool(contents.sharing.users):
        yield "sharing.users: names users where the audience is `users`, and only there"


def _overlap(one: Layout, other: Layout) -> bool:
    return (
        one.x < other.x + other.w and other.x < one.x + one.w and one.y < other.y + other.h and other.y < one.y + one.h
    )


def _tiles(tiles: tuple[Tile, ...], command: TileCommand) -> tuple[Tile, ...]:
    """The tiles that a command wants."""
    existing = {tile.id for tile in tiles}
    match command:
        case AddTile(tile):
            return (*tiles, tile)
        case ChangeTile(tile):
            _must_be_known("tile.id", {tile.id}, existing)
            return tuple(tile if tile.id == one.id else one for one in tiles)
        case RemoveTile(tile_id):
            _must_be_known("tile_id", {tile_id}, existing)
            return tuple(one for one in tiles if one.id != tile_id)
        case ArrangeDashboard(layouts):
            _must_be_known("layouts", set(layouts), existing)
            return _moved(tiles, layouts)
        case _:
            assert_never(command)


def _must_be_known(field: str, ids: set[str], existing: set[str]) -> None:
    if unknown := sorted(ids - existing):
        raise Invalid(f"{field}: the dashboard has no tile {unknown[0]!r}", code="no_tile")


def _moved(tiles: tuple[Tile, ...], layouts: dict[str, Layout]) -> tuple[Tile, ...]:
    return tuple(msgspec.structs.replace(tile, layout=layouts.get(tile.id, tile.layout)) for tile in tiles)


def _tiles_after(tiles: tuple[Tile, ...], event: TileEvent) -> tuple[Tile, ...]:
    match event:
        case TileAdded(tile):
            return (*tiles, tile)
        case TileChanged(tile):
            return tuple(tile if tile.id == one.id else one for one in tiles)
        case TileRemoved(tile_id):
            return tuple(one for one in tiles if one.id != tile_id)
        case DashboardArranged(layouts):
            return _moved(tiles, layouts)


def _differences(before: Dashboard, after: Dashboard) -> Iterator[DashboardEvent]:
    yield from settings_changed(before, after, get_args(SettingEvent))
    yield from _tile_differences({t.id: t for t in before.tiles}, {t.id: t for t in after.tiles})


def _tile_differences(before: dict[str, Tile], after: dict[str, Tile]) -> Iterator[DashboardEvent]:
    yield from (TileRemoved(tile_id) for tile_id in before if tile_id not in after)
    remaining = {tile_id: tile for tile_id, tile in after.items() if tile_id in before}
    moved = {
        tile_id: tile.layout
        for tile_id, tile in remaining.items()
        if tile.layout != before[tile_id].layout
        and tile == msgspec.structs.replace(before[tile_id], layout=tile.layout)
    }
    if moved:
        yield DashboardArranged(moved)
    yield from (TileChanged(t) for t in remaining.values() if t != before[t.id] and t.id not in moved)
    yield from (TileAdded(tile) for tile_id, tile in after.items() if tile_id not in before)


DASHBOARD = Aggregate(
    "dashboard",
    "Tiles, each of a query, on a page",
    get_args(DashboardCommand),
    get_args(DashboardEvent),
    decide,
    evolve,
)
