"""Energy and forces of the free atoms of a sphere inside a periodic glass.

All atoms outside of the sphere are frozen, but their embedding energies change as free atoms
move. With these the energy differences are exactly those of the whole glass in which the same
atoms move, at a cost that does not depend on its size. The whole glass is a sphere without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from glassbench.kernels.hessian import EamSplines

# The neighbours of an atom are listed anew when it has moved by a third of this: its neighbours may
# since have moved by two thirds, to there and back.
SKIN_A = 0.75
N_LANES = 4  # pair energy, both densities, and one to fill the line of the cache
NEGLIGIBLE = 1e-12  # share of the largest density
SPARE = 1.4  # neighbours that there is room for, over the most of any atom at the start


class PairTables(NamedTuple):
    """An EAM potential with all that one pair needs side by side.

    Parameters
    ----------
    pair
        Per pair of species and piece of r, for each power: r phi(r), the density at the first
        atom and that at the second; shape (n_species, n_species * n_r * 16).
    embedding
        As in `EamSplines`.
    d_r, d_density
        Grid spacings, d_r in angstrom.
    n_r
        Number of pieces.
    r_cut
        Range per pair of species, shape (n_species, n_species), angstrom.
    r_cut_density
        Range of the densities, angstrom.
    """

    pair: NDArray[np.float64]
    embedding: NDArray[np.float64]
    d_r: float
    d_density: float
    n_r: int
    r_cut: NDArray[np.float64]
    r_cut_density: float


class Sphere(NamedTuple):
    """The atoms around a centre, the free ones first, then the frozen ones, then their images.

    Parameters
    ----------
    atom
        Which atom of the glass each is, without images, shape (n_local,).
    n_free
        Number of free atoms.
    position
        Of all sites, images included, shape (n_sites, 3), angstrom, without jumps at the cell.
    kind
        Species of each site, shape (n_sites,).
    owner
        The atom whose image a site is, or itself, shape (n_sites,).
    shift
        From the owner to its image, shape (n_sites, 3), angstrom.
    fixed_density
        Density at each atom that no free atom causes, shape (n_local,).
    reach
        Distance from the centre to which the sites are complete for free atoms, angstrom.
    """

    atom: NDArray[np.int64]
    n_free: int
    position: NDArray[np.float64]
    kind: NDArray[np.int64]
    owner: NDArray[np.int64]
    shift: NDArray[np.float64]
    fixed_density: NDArray[np.float64]
    reach: float


class Neighbours(NamedTuple):
    """Pairs of sites with at least one free atom, and room to work.

    Parameters
    ----------
    other
        The neighbours of each free atom, shape (n_free, room).
    n_others
        Their number, shape (n_free,).
    listed_at
        Position of each free atom when its neighbours were listed, shape (n_free, 3).
    site
        Positions of the sites, shape (n_sites, 3).
    force
        Forces on the sites, shape (n_sites, 3).
    density
        Density by free atoms, and slope and curvature of the embedding energy at the sites,
        shape (3, n_sites).
    close_start, close
        Where the pairs that share density begin, for each free atom, and their second sites.
    close_vector
        Their vectors and density slopes over the distance, shape (n_pairs, 5).
    """

    other: NDArray[np.int64]
    n_others: NDArray[np.int64]
    listed_at: NDArray[np.float64]
    site: NDArray[np.float64]
    force: NDArray[np.float64]
    density: NDArray[np.float64]
    close_start: NDArray[np.int64]
    close: NDArray[np.int64]
    close_vector: NDArray[np.float64]


def pack_tables(splines: EamSplines) -> PairTables:
    """Put the splines of a potential side by side."""
    n, _, n_r, n_powers = splines.pair.shape
    packed = np.zeros((n, n, n_r, n_powers, N_LANES))
    packed[..., 0] = splines.pair
    packed[..., 1] = splines.density
    packed[..., 2] = splines.density.swapaxes(0, 1)
    density = _find_range(splines.density, splines.d_r, splines.r_cut)
    density = np.maximum(density, density.T)
    return PairTables(
        packed.reshape(n, -1),
        splines.embedding,
        splines.d_r,
        splines.d_density,
        n_r,
        np.maximum(_find_range(splines.pair, splines.d_r, splines.r_cut), density),
        float(density.max()),
    )


def _find_range(splines: NDArray[np.float64], d_r: float, r_cut_A: float) -> NDArray[np.float64]:
    """Return the distance from which on a function of a pair of species is zero."""
    size = np.abs(splines[..., 0])
    counts = np.arange(size.shape[-1]) * (size > NEGLIGIBLE * np.median(size, axis=-1)[..., None])
    found: NDArray[np.float64] = np.minimum((counts.max(axis=-1) + 2) * d_r, r_cut_A)
    return found


def make_neighbours(sphere: Sphere, tables: PairTables) -> Neighbours:
    """Make the first list of neighbours of a sphere, and room for the work on it."""
    n_free, n_sites = sphere.n_free, len(sphere.position)
    room = int(SPARE * _count_neighbours(sphere, tables.r_cut + SKIN_A)) + 1
    return Neighbours(
        np.zeros((n_free, room), np.int64),
        np.zeros(n_free, np.int64),
        np.full((n_free, 3), np.inf),  # as if all had moved, so that they are listed at once
        sphere.position.copy(),
        np.zeros((n_sites, 3)),
        np.zeros((3, n_sites)),
        np.zeros(n_free + 1, np.int64),
        np.zeros(n_free * room, np.int64),
        np.zeros((n_free * room, 5)),
    )


@njit(cache=True)
def _count_neighbours(sphere: Sphere, reach: NDArray[np.float64]) -> int:
    """Return the largest number of neighbours of a free atom."""
    most = 0
    none = np.empty(0, np.int64)
    for i in range(sphere.n_free):
        most = max(most, _list_neighbours(i, sphere.position, sphere, reach, none))
    return most


@njit(cache=True)
def _list_neighbours(
    i: int,
    site: NDArray[np.float64],
    sphere: Sphere,
    reach: NDArray[np.float64],
    other: NDArray[np.int64],
) -> int:
    """Write the neighbours of a free atom while there is room, and return how many it has.

    Each pair of free atoms belongs to the one with the lower number, also across the cell.
    """
    count = 0
    x0, x1, x2 = site[i]
    limit = reach[sphere.kind[i]] ** 2
    for j in range(i + 1, len(site)):
        d0, d1, d2 = site[j, 0] - x0, site[j, 1] - x1, site[j, 2] - x2
        if d0 * d0 + d1 * d1 + d2 * d2 < limit[sphere.kind[j]] and (
            j < sphere.n_free or sphere.owner[j] > i
        ):
            if count < len(other):
                other[count] = j
            count += 1
    return count


@njit(cache=True)
def _place_sites(
    x: NDArray[np.float64], sphere: Sphere, work: Neighbours, tables: PairTables
) -> bool:
    """Move the free atoms and their images to `x`, and renew the lists of neighbours that are old.

    Returns
    -------
        False if an atom has left the region that the sites cover or neighbours find no room.
    """
    n_free = sphere.n_free
    last = -1
    for i in range(n_free):
        work.site[i] = x[i]
        d0, d1, d2 = (
            x[i, 0] - work.listed_at[i, 0],
            x[i, 1] - work.listed_at[i, 1],
            x[i, 2] - work.listed_at[i, 2],
        )
        if not d0 * d0 + d1 * d1 + d2 * d2 < SKIN_A * SKIN_A / 9.0:
            last = i
    for s in range(len(sphere.atom), len(work.site)):
        if sphere.owner[s] < n_free:
            work.site[s] = x[sphere.owner[s]] + sphere.shift[s]
    # The pairs of an atom that has moved are listed with it and with those before it.
    reach = tables.r_cut + SKIN_A
    for i in range(last + 1):
        work.listed_at[i] = x[i]
        work.n_others[i] = _list_neighbours(i, work.site, sphere, reach, work.other[i])
        if work.n_others[i] > len(work.other[i]) or not (x[i] ** 2).sum() < sphere.reach**2:
            work.listed_at[:] = np.inf
            return False
    return True


@njit(cache=True, error_model="numpy")
def calc_energy(
    x: NDArray[np.float64], sphere: Sphere, work: Neighbours, tables: PairTables
) -> float:
    """Compute the energy of a sphere, and the forces on its free atoms.

    Parameters
    ----------
    x
        Positions of the free atoms, shape (n_free, 3), angstrom.
    sphere
        The atoms.
    work
        Their neighbours; on return ``work.force[:n_free]`` holds the forces, eV/angstrom.
    tables
        The potential.

    Returns
    -------
        Energy in eV up to a constant of the sphere; infinite where the sphere does not describe
        the configuration: an atom has left it, or a density lies beyond the table.
    """
    if not _place_sites(x, sphere, work, tables):
        return np.inf
    energy: float = _add_pairs(sphere, work, tables)
    energy += _embed(sphere, work, tables)
    _add_embedding_forces(sphere, work)
    return energy


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def _add_pairs(sphere: Sphere, work: Neighbours, tables: PairTables) -> float:
    """Add up pair energies, their forces and the densities."""
    site, force, rho = work.site, work.force, work.density[0]
    force[:] = 0.0
    rho[:] = 0.0
    energy, n_close = 0.0, 0
    limit, r2_close = tables.r_cut**2, tables.r_cut_density**2
    spline = np.empty(2 * N_LANES)
    near = np.empty(len(site), np.int64)
    vector = np.empty((len(site), 4))
    for i in range(sphere.n_free):
        a = sphere.kind[i]
        table = tables.pair[a]
        x0, x1, x2 = site[i, 0], site[i, 1], site[i, 2]
        n_near = 0
        for p in range(work.n_others[i]):
            j = work.other[i, p]
            d0, d1, d2 = site[j, 0] - x0, site[j, 1] - x1, site[j, 2] - x2
            r2 = d0 * d0 + d1 * d1 + d2 * d2
            near[n_near] = j
            vector[n_near, 0], vector[n_near, 1], vector[n_near, 2] = d0, d1, d2
            vector[n_near, 3] = r2
            n_near += r2 < limit[a, sphere.kind[j]]
        f0, f1, f2, rho_i = 0.0, 0.0, 0.0, 0.0
        for p in range(n_near):
            j = near[p]
            d0, d1, d2, r2 = vector[p, 0], vector[p, 1], vector[p, 2], vector[p, 3]
            r = np.sqrt(r2)
            inverse = 1.0 / r
            k = min(int(r / tables.d_r), tables.n_r - 1)
            first = (sphere.kind[j] * tables.n_r + k) * 4 * N_LANES
            _evaluate_lanes(table, first, r - k * tables.d_r, spline)
            phi = spline[0] * inverse
            energy += phi
            g = (spline[N_LANES] - phi) * inverse * inverse
            f0 += g * d0
            f1 += g * d1
            f2 += g * d2
            force[j, 0] -= g * d0
            force[j, 1] -= g * d1
            force[j, 2] -= g * d2
            if r2 < r2_close:
                rho_i += spline[1]
                rho[j] += spline[2]
                work.close[n_close] = j
                close = work.close_vector[n_close]
                close[0], close[1], close[2] = d0, d1, d2
                close[3], close[4] = spline[N_LANES + 1] * inverse, spline[N_LANES + 2] * inverse
                n_close += 1
        work.close_start[i + 1] = n_close
        force[i, 0] += f0
        force[i, 1] += f1
        force[i, 2] += f2
        rho[i] += rho_i
    return energy


@njit(cache=True, inline="always")
def _evaluate_lanes(
    table: NDArray[np.float64], first: int, t: float, spline: NDArray[np.float64]
) -> None:
    """Write the values of the splines that lie side by side, then their slopes."""
    for q in range(3):
        c1 = table[first + N_LANES + q]
        c2 = table[first + 2 * N_LANES + q]
        c3 = table[first + 3 * N_LANES + q]
        spline[q] = table[first + q] + t * (c1 + t * (c2 + t * c3))
        spline[N_LANES + q] = c1 + t * (2.0 * c2 + 3.0 * t * c3)


@njit(cache=True, error_model="numpy")
def _embed(sphere: Sphere, work: Neighbours, tables: PairTables) -> float:
    """Add up the embedding energies, and keep their slopes."""
    rho, slope, curvature = work.density
    n_local = len(sphere.atom)
    for s in range(n_local, len(rho)):
        rho[sphere.owner[s]] += rho[s]
    energy = 0.0
    n_pieces = tables.embedding.shape[1]
    for k in range(n_local):
        total = rho[k] + sphere.fixed_density[k]
        piece = int(total / tables.d_density)
        if not 0 <= piece < n_pieces:
            return np.inf
        t = total - piece * tables.d_density
        c0, c1, c2, c3 = tables.embedding[sphere.kind[k], piece]
        energy += c0 + t * (c1 + t * (c2 + t * c3))
        slope[k] = c1 + t * (2.0 * c2 + 3.0 * t * c3)
        curvature[k] = 2.0 * c2 + 6.0 * t * c3
    for s in range(n_local, len(rho)):
        slope[s] = slope[sphere.owner[s]]
        curvature[s] = 0.0
    return energy


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def _add_embedding_forces(sphere: Sphere, work: Neighbours) -> None:
    """Add the forces by the densities, and those on images to the atoms themselves."""
    force, slope = work.force, work.density[1]
    for i in range(sphere.n_free):
        f0, f1, f2 = 0.0, 0.0, 0.0
        for p in range(work.close_start[i], work.close_start[i + 1]):
            j = work.close[p]
            d0, d1, d2, at_i, at_j = work.close_vector[p]
            g = slope[i] * at_i + slope[j] * at_j
            f0 += g * d0
            f1 += g * d1
            f2 += g * d2
            force[j, 0] -= g * d0
            force[j, 1] -= g * d1
            force[j, 2] -= g * d2
        force[i, 0] += f0
        force[i, 1] += f1
        force[i, 2] += f2
    for s in range(len(sphere.atom), len(force)):
        force[sphere.owner[s]] += force[s]
