// SPDX-License-Identifier: Apache-2.0
// XENMEM_populate_physmap, decrease_reservation and increase_reservation: how a guest's balloon
// driver takes and gives memory. The answer is the number of extents done. A list that takes long
// is done in pieces: the upper bits of the command say where to go on.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp::memory_op {

inline constexpr unsigned command_bits = 6;            // MEMOP_CMD_MASK
inline constexpr std::uint64_t extents_per_call = 64;  // of lists that are not bounded by time
inline constexpr std::uint64_t piece_ns = 500'000;     // then the CPU looks at its other work

template <typename P>
Result<void> check_self(const Call<P>& call, std::uint16_t id) {
  if (call.is_self(id)) {
    return {};
  }
  return fail(id == 0 || call.parts.core.domains.find(DomId(id)) != nullptr ? Errno::perm
                                                                            : Errno::srch);
}

struct Reservation {
  std::uint64_t list = 0;
  std::uint64_t count = 0;
  std::uint32_t order = 0;
  std::uint32_t flags = 0;
  std::uint16_t domain = 0;
};

template <typename P>
Result<Reservation> read_reservation(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  Reservation value;
  XL_TRY_ASSIGN(value.list, fields.next_word());
  XL_TRY_ASSIGN(value.count, fields.next_word());
  XL_TRY_ASSIGN(value.order, fields.template next<std::uint32_t>());
  XL_TRY_ASSIGN(value.flags, fields.template next<std::uint32_t>());
  XL_TRY_ASSIGN(value.domain, fields.template next<std::uint16_t>());
  return value;
}

// As in Xen, what was there before goes: it counts as the domain's, out of reach, until its end.
// The frame itself is free.
template <typename P>
Result<void> populate_page(const Call<P>& call, Gfn gfn) {
  const Result<void> done = call.parts.memory.populate_exact(call.domain(), gfn, 0);
  return !done && done.error() == Errno::exist ? call.parts.memory.replace(call.domain(), gfn)
                                               : done;
}

// All of the extent, or nothing.
template <typename P>
Result<void> populate(const Call<P>& call, Gfn gfn, unsigned order) {
  Domain<P>& domain = call.domain();
  Guard guard(domain.memory_lock);
  if (domain.counted_pages() + (1ULL << order) > domain.max_pages) {
    return fail(Errno::nomem);  // even if what is there before would go
  }
  if (order == order_2m) {
    // Where smaller pages were before there is a table for them.
    const Result<void> whole = call.parts.memory.populate_exact(domain, gfn, 1);
    if (whole || whole.error() != Errno::exist) {
      return whole;
    }
  }
  for (std::uint64_t i = 0; i < 1ULL << order; ++i) {
    if (const Result<void> done = populate_page(call, gfn + Pages(i)); !done) {
      for (; i > 0; --i) {
        (void)call.parts.memory.release(domain, gfn + Pages(i - 1)).has_value();
      }
      return done;
    }
  }
  return {};
}

// Frames without a place are of no use to a domain with a physmap: they are counted, and that is
// all that it could know of them.
template <typename P>
std::int64_t increase(const Call<P>& call, const Reservation& op) {
  Domain<P>& domain = call.domain();
  Guard guard(domain.memory_lock);
  const std::uint64_t has = domain.counted_pages() + domain.promised;
  const std::uint64_t room = has < domain.max_pages ? (domain.max_pages - has) >> op.order : 0;
  const std::uint64_t done = op.count < room ? op.count : room;
  domain.unplaced_pages += done << op.order;
  return static_cast<std::int64_t>(done);
}

// What a call's extents have in common: one flush of translations serves many of them.
template <typename P>
class Releasing {
 public:
  explicit Releasing(const Call<P>& call) : call_(call) {}
  Releasing(const Releasing&) = delete;
  Releasing& operator=(const Releasing&) = delete;
  ~Releasing() {
    Guard guard(call_.domain().memory_lock);
    call_.parts.memory.finish(call_.domain(), frames_);
  }
  // Up to the first page that cannot be given up, as in Xen.
  Result<void> release(Gfn gfn, unsigned order) {
    Guard guard(call_.domain().memory_lock);
    return call_.parts.memory.release(call_.domain(), gfn, order, frames_);
  }

 private:
  const Call<P>& call_;
  ReleasedFrames frames_;
};

// Errors of the list itself count as its end.
template <typename P>
std::int64_t change_reservation(const Call<P>& call, std::uint64_t command, std::uint64_t arg,
                                std::uint64_t start) {
  const Result<Reservation> op = read_reservation(call, arg);
  if (!op) {
    return negative(op.error());
  }
  if (const Result<void> self = check_self(call, op->domain); !self) {
    return negative(self.error());
  }
  const auto done = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
  // A domain cannot promise itself memory.
  const bool refused =
      command == XENMEM_populate_physmap && (op->flags & XENMEMF_populate_on_demand) != 0;
  const std::uint64_t size = call.pointer_size();
  if (refused || op->count > (~0ULL >> command_bits) || op->order > order_2m || start > op->count) {
    return done(start);
  }
  if (command == XENMEM_increase_reservation) {
    return increase(call, *op);
  }
  Releasing<P> releasing(call);
  const std::uint64_t end = call.parts.core.platform.now_ns() + piece_ns;
  for (std::uint64_t i = start; i < op->count; ++i) {
    if (i > start && (i - start == xl::page_size || call.parts.core.platform.now_ns() > end)) {
      call.frame.args[0] = command | i << command_bits;
      return call.again();
    }
    const Result<std::uint64_t> gfn = call.read_word(op->list + i * size);
    if (!gfn || *gfn >= gfn_limit) {
      return done(i);
    }
    const Result<void> changed = command == XENMEM_populate_physmap
                                     ? populate(call, Gfn(*gfn), op->order)
                                     : releasing.release(Gfn(*gfn), op->order);
    if (!changed) {
      return done(i);
    }
  }
  return done(op->count);
}

}  // namespace hyp::memory_op
