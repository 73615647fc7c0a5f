// SPDX-License-Identifier: Apache-2.0
// Physmap<P>: gfn → frame, as the nested page table that the CPU walks: 4 levels of 512 entries,
// entry format by P::PhysmapFormat. Leaves of 4 KiB, 2 MiB and 1 GiB. Freestanding.
//
// Thread rule: changes under the domain's memory_lock. lookup() may run at any time on any CPU:
// tables are freed only when the domain is gone, entries are stored whole. What a lookup found
// stays a frame of the domain until the CPU's next schedule() (removed frames wait for a grace
// period).
#pragma once

#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

struct PhysmapEntry {
  Mfn mfn;                         // of the very gfn that was asked for, if there is a frame
  PageKind kind = PageKind::none;  // none: nothing is mapped
  unsigned level = 0;  // 0: 4 KiB, 1: 2 MiB, 2: 1 GiB; of a hole: how large it is at least
  bool accessed = false;
};

constexpr std::uint64_t level_pages(unsigned level) {
  return 1ULL << (9 * level);
}
inline constexpr std::uint64_t gfn_limit = 1ULL << 36;

template <typename P>
class Physmap {
 public:
  using Format = typename P::PhysmapFormat;

  // Uses `root`, a zeroed frame, as top table.
  void init(P& platform, Mfn root) {
    platform_ = &platform;
    root_ = root;
  }
  Mfn root() const { return root_; }

  PhysmapEntry lookup(Gfn gfn) const {
    if (gfn.value() >= gfn_limit || platform_ == nullptr) {
      return {};
    }
    Mfn table = root_;
    for (unsigned level = 3;; --level) {
      const std::uint64_t entry = load(table, slot(gfn, level));
      if (!Format::is_present(entry)) {
        return {Mfn(), Format::kind(entry), level < 2 ? level : 2, false};
      }
      if (level == 0 || (level < 3 && Format::is_leaf(entry, level))) {
        const std::uint64_t offset = gfn.value() & (level_pages(level) - 1);
        return {Format::mfn(entry) + Pages(offset), Format::kind(entry), level,
                Format::accessed(entry)};
      }
      table = Format::mfn(entry);
    }
  }

  // Makes a leaf of `level`; gfn and mfn are aligned to it. `alloc` gives Result<Mfn> of a zeroed
  // frame for a table. exist: something is mapped there, or a table of smaller leaves. nomem: no
  // frame for a table (what was added stays, empty).
  template <typename Alloc>
  Result<void> map(Gfn gfn, Mfn mfn, unsigned level, PageKind kind, Alloc&& alloc) {
    XL_TRY_ASSIGN(const Mfn table, table_for(gfn, level, alloc));
    if (load(table, slot(gfn, level)) != 0) {
      return fail(Errno::exist);
    }
    store(table, slot(gfn, level), Format::make_leaf(mfn, level, kind));
    return {};
  }

  // Promises a frame to the pages of a leaf of `level`; errors as of map().
  template <typename Alloc>
  Result<void> promise(Gfn gfn, unsigned level, Alloc&& alloc) {
    XL_TRY_ASSIGN(const Mfn table, table_for(gfn, level, alloc));
    if (load(table, slot(gfn, level)) != 0) {
      return fail(Errno::exist);
    }
    store(table, slot(gfn, level), Format::make_on_demand(level));
    return {};
  }
  // Makes a leaf of RAM in the place of a promise; a larger one is split. inval: there is none.
  template <typename Alloc>
  Result<void> keep_promise(Gfn gfn, Mfn mfn, unsigned level, Alloc&& alloc) {
    XL_TRY_ASSIGN(const Mfn table, table_for(gfn, level, alloc));
    if (load(table, slot(gfn, level)) != Format::make_on_demand(level)) {
      return fail(Errno::inval);
    }
    store(table, slot(gfn, level), Format::make_leaf(mfn, level, PageKind::ram));
    return {};
  }

  // True if a leaf of `level` fits there: no table and nothing mapped.
  bool is_free(Gfn gfn, unsigned level) const {
    const PhysmapEntry entry = lookup(gfn);
    if (entry.kind != PageKind::none) {
      return false;
    }
    return level == 0 || entry.level >= level;
  }

  // Removes the 4 KiB at gfn and says what was there (none: nothing). A larger leaf, or promise, is
  // split, which may need frames.
  template <typename Alloc>
  Result<PhysmapEntry> unmap(Gfn gfn, Alloc&& alloc) {
    const PhysmapEntry was = lookup(gfn);
    if (was.kind == PageKind::none) {
      return was;
    }
    XL_TRY_ASSIGN(const Mfn table, table_for(gfn, 0, alloc));
    store(table, slot(gfn, 0), 0);
    return was;
  }

  // Removes the leaf, or promise, that holds gfn as a whole; the map has to have one there.
  void remove_leaf(Gfn gfn) {
    Mfn table = root_;
    for (unsigned level = 3;; --level) {
      const std::uint64_t entry = load(table, slot(gfn, level));
      if (level == 0 || (level < 3 && Format::is_leaf(entry, level))) {
        store(table, slot(gfn, level), 0);
        return;
      }
      table = Format::mfn(entry);
    }
  }

  // Takes the map down in pieces: gives leaves to `leaf(Gfn, PhysmapEntry)` and emptied tables to
  // `table(Mfn)`, at most about `budget` entries per call. True: there is more. The root stays.
  // Only when no CPU uses the map any more.
  template <typename Leaf, typename Table>
  bool take_down(unsigned budget, Leaf&& leaf, Table&& table) {
    return take_down_table(root_, 3, Gfn(0), budget, leaf, table);
  }

 private:
  static unsigned slot(Gfn gfn, unsigned level) {
    return static_cast<unsigned>(gfn.value() >> (9 * level)) & 511U;
  }
  std::uint64_t* entry_of(Mfn table, unsigned index) const {
    // SAFETY: a table is one frame of 512 words, only accessed through here and by the CPU's
    // walker.
    return reinterpret_cast<std::uint64_t*>(platform_->frame(table)) + index;
  }
  std::uint64_t load(Mfn table, unsigned index) const {
    return __atomic_load_n(entry_of(table, index), __ATOMIC_ACQUIRE);
  }
  void store(Mfn table, unsigned index, std::uint64_t entry) {
    __atomic_store_n(entry_of(table, index), entry, __ATOMIC_RELEASE);
  }

  // The table that holds the entry of `level`; made, or split off a larger leaf, where it is
  // missing.
  template <typename Alloc>
  Result<Mfn> table_for(Gfn gfn, unsigned level, Alloc&& alloc) {
    if (gfn.value() >= gfn_limit) {
      return fail(Errno::inval);
    }
    Mfn table = root_;
    for (unsigned at = 3; at > level; --at) {
      const std::uint64_t entry = load(table, slot(gfn, at));
      if (Format::is_present(entry) && (at == 3 || !Format::is_leaf(entry, at))) {
        table = Format::mfn(entry);
        continue;
      }
      XL_TRY_ASSIGN(const Mfn fresh, alloc());
      if (Format::is_present(entry)) {
        fill_from_leaf(fresh, entry, at);
      } else if (entry != 0) {
        for (unsigned i = 0; i < 512; ++i) {
          store(fresh, i, Format::make_on_demand(at - 1));
        }
      }
      replace_by_table(table, slot(gfn, at), fresh, entry);
      table = fresh;
    }
    return table;
  }

  // A CPU may set the leaf's Accessed bit until the moment that it is gone: what was used must
  // never count as untouched.
  void replace_by_table(Mfn table, unsigned index, Mfn fresh, std::uint64_t leaf) {
    const std::uint64_t last =
        __atomic_exchange_n(entry_of(table, index), Format::make_table(fresh), __ATOMIC_ACQ_REL);
    const std::uint64_t late = last & ~leaf & Format::accessed_bits;
    for (unsigned i = 0; late != 0 && i < 512; ++i) {
      __atomic_fetch_or(entry_of(fresh, i), late, __ATOMIC_RELAXED);
    }
  }

  // Accessed is inherited: what is below a used leaf counts as used.
  void fill_from_leaf(Mfn table, std::uint64_t leaf, unsigned level) {
    const Mfn first = Format::mfn(leaf);
    const std::uint64_t low_bits = Format::accessed(leaf) ? Format::accessed_bits : 0;
    for (unsigned i = 0; i < 512; ++i) {
      const Mfn mfn = first + Pages(i * level_pages(level - 1));
      store(table, i, Format::make_leaf(mfn, level - 1, Format::kind(leaf)) | low_bits);
    }
  }

  template <typename Leaf, typename Table>
  bool take_down_table(Mfn table, unsigned level, Gfn base, unsigned& budget, Leaf& leaf,
                       Table& free_table) {
    for (unsigned i = 0; i < 512; ++i) {
      const std::uint64_t entry = load(table, i);
      if (!Format::is_present(entry)) {
        continue;
      }
      if (budget == 0) {
        return true;
      }
      --budget;
      const Gfn gfn = base + Pages(i * level_pages(level));
      if (level == 0 || (level < 3 && Format::is_leaf(entry, level))) {
        leaf(gfn,
             PhysmapEntry{Format::mfn(entry), Format::kind(entry), level, Format::accessed(entry)});
      } else {
        if (take_down_table(Format::mfn(entry), level - 1, gfn, budget, leaf, free_table)) {
          return true;
        }
        free_table(Format::mfn(entry));
      }
      store(table, i, 0);
    }
    return false;
  }

  P* platform_ = nullptr;
  Mfn root_{};
};

}  // namespace hyp
