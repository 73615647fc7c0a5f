// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_memory_op (public/memory.h). Long lists are done in pieces: the upper bits of the
// command say where to go on.
#pragma once

#include "hypervisor/core/call.hpp"
#include "hypervisor/core/hypercall_reservation.hpp"

namespace hyp::memory_op {

// --- XENMEM_add_to_physmap, remove_from_physmap ---

template <typename P>
Result<void> map_grant_frame(const Call<P>& call, std::uint64_t index, Gfn gfn) {
  Domain<P>& domain = call.domain();
  const bool status = (index & XENMAPIDX_grant_table_status) != 0;
  const std::uint64_t number = index & ~static_cast<std::uint64_t>(XENMAPIDX_grant_table_status);
  const auto frames = [&] { return call.parts.core.alloc_pages(&domain, 0); };
  if (status) {
    if (domain.grants.version() != 2 || number >= domain.grants.status_count()) {
      return fail(Errno::inval);
    }
    return call.parts.memory.map_shared(domain, gfn,
                                        domain.grants.status_frame(static_cast<unsigned>(number)));
  }
  if (number >= max_grant_frames) {
    return fail(Errno::inval);
  }
  const auto wanted = static_cast<unsigned>(number);
  if (wanted >= domain.grants.frame_count()) {
    XL_TRY(domain.grants.grow(wanted + 1, frames));
  }
  return call.parts.memory.map_shared(domain, gfn, domain.grants.frame(wanted));
}

template <typename P>
Result<void> add_to_physmap(const Call<P>& call, std::uint32_t space, std::uint64_t index,
                            Gfn gfn) {
  Domain<P>& domain = call.domain();
  if (gfn.value() >= gfn_limit) {
    return fail(Errno::inval);
  }
  switch (space) {
    case XENMAPSPACE_shared_info: {
      if (index != 0) {
        return fail(Errno::inval);
      }
      call.parts.lifecycle.set_width(domain, !call.wide());
      Guard guard(domain.memory_lock);
      return call.parts.memory.map_shared(domain, gfn, domain.shared_mfn);
    }
    case XENMAPSPACE_grant_table: {
      Guard guard(domain.memory_lock);
      return map_grant_frame(call, index, gfn);
    }
    case XENMAPSPACE_gmfn: {
      Guard guard(domain.memory_lock);
      return call.parts.memory.move(domain, Gfn(index), gfn);
    }
    case XENMAPSPACE_gmfn_foreign:
      return fail(Errno::perm);  // needs privilege over the other domain
    default: return fail(Errno::inval);
  }
}

template <typename P>
std::int64_t add_to_physmap(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  const auto run = [&]() -> Result<void> {
    XL_TRY_ASSIGN(const std::uint16_t id, fields.template next<std::uint16_t>());
    XL_TRY(fields.template next<std::uint16_t>());  // size: only of gmfn_range, which is refused
    XL_TRY_ASSIGN(const std::uint32_t space, fields.template next<std::uint32_t>());
    XL_TRY_ASSIGN(const std::uint64_t index, fields.next_word());
    XL_TRY_ASSIGN(const std::uint64_t gfn, fields.next_word());
    if (id == 0) {
      return fail(Errno::acces);  // a PV domain has no physmap to add to
    }
    XL_TRY(check_self(call, id));
    return add_to_physmap(call, space, index, Gfn(gfn));
  };
  return to_value(run());
}

template <typename P>
std::int64_t add_to_physmap_batch(const Call<P>& call, std::uint64_t arg, std::uint64_t start) {
  Fields<P> fields(call, arg);
  const auto run = [&]() -> Result<void> {
    XL_TRY_ASSIGN(const std::uint16_t id, fields.template next<std::uint16_t>());
    XL_TRY_ASSIGN(const std::uint16_t space, fields.template next<std::uint16_t>());
    XL_TRY_ASSIGN(const std::uint16_t count, fields.template next<std::uint16_t>());
    XL_TRY(fields.template next<std::uint16_t>());  // foreign domain
    XL_TRY_ASSIGN(const std::uint64_t indexes, fields.next_word());
    XL_TRY_ASSIGN(const std::uint64_t gfns, fields.next_word());
    XL_TRY_ASSIGN(const std::uint64_t errors, fields.next_word());
    XL_TRY(check_self(call, id));
    for (std::uint64_t i = start; i < count; ++i) {
      if (i - start == extents_per_call) {
        call.frame.args[0] = XENMEM_add_to_physmap_batch | i << command_bits;
        call.again();
        return {};
      }
      XL_TRY_ASSIGN(const std::uint64_t index, call.read_word(indexes + i * call.pointer_size()));
      XL_TRY_ASSIGN(const std::uint64_t gfn, call.read_word(gfns + i * call.pointer_size()));
      const std::int64_t result = to_value(add_to_physmap(call, space, index, Gfn(gfn)));
      XL_TRY(call.write(errors + i * sizeof(std::int32_t), static_cast<std::int32_t>(result)));
    }
    return {};
  };
  return to_value(run());
}

template <typename P>
Result<void> remove_from_physmap(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  XL_TRY_ASSIGN(const std::uint16_t id, fields.template next<std::uint16_t>());
  XL_TRY_ASSIGN(const std::uint64_t gfn, fields.next_word());
  XL_TRY(check_self(call, id));
  if (gfn >= gfn_limit) {
    return fail(Errno::inval);
  }
  Domain<P>& domain = call.domain();
  Guard guard(domain.memory_lock);
  switch (domain.physmap.lookup(Gfn(gfn)).kind) {
    case PageKind::on_demand:
    case PageKind::ram: return call.parts.memory.release(domain, Gfn(gfn));
    case PageKind::shared: return call.parts.memory.unmap_shared(domain, Gfn(gfn));
    default: return fail(Errno::noent);
  }
}

// --- questions ---

template <typename P>
Result<void> memory_map(const Call<P>& call, std::uint64_t arg) {
  static_assert(sizeof(xl::abi::MemoryMapRecord) == 24);
  constexpr std::uint64_t row_bytes = 20;  // e820entry, packed
  Fields<P> fields(call, arg);
  XL_TRY_ASSIGN(const std::uint32_t room, fields.template next<std::uint32_t>());
  XL_TRY_ASSIGN(const std::uint64_t buffer, fields.next_word());
  const Domain<P>& domain = call.domain();
  if (domain.memory_map == nullptr) {
    return fail(Errno::nosys);
  }
  const std::uint32_t count = room < domain.memory_map_count ? room : domain.memory_map_count;
  for (std::uint32_t i = 0; i < count; ++i) {
    XL_TRY(call.write_bytes(buffer + i * row_bytes, domain.memory_map + i, row_bytes));
  }
  return call.write(arg, count);
}

template <typename P>
std::int64_t ask_own(const Call<P>& call, std::uint64_t command, std::uint64_t arg) {
  const Result<std::uint16_t> id = call.template read<std::uint16_t>(arg);
  if (!id) {
    return negative(id.error());
  }
  if (const Result<void> self = check_self(call, *id); !self) {
    return negative(self.error());
  }
  Domain<P>& domain = call.domain();
  Guard guard(domain.memory_lock);
  switch (command) {
    // As in Xen, where the frames that a domain may demand are its own already.
    case XENMEM_current_reservation:
      return static_cast<std::int64_t>(domain.counted_pages() + domain.promised);
    case XENMEM_maximum_reservation: return static_cast<std::int64_t>(domain.max_pages);
    default: return static_cast<std::int64_t>(domain.highest_gfn);
  }
}

// For the toolstack, of another domain: never of the caller's own.
template <typename P>
std::int64_t pod_target(const Call<P>& call, std::uint64_t arg) {
  const Result<std::uint16_t> id =
      call.template read<std::uint16_t>(arg + offsetof(xen_pod_target_t, domid));
  if (!id) {
    return negative(id.error());
  }
  if (*id == 0) {
    return negative(Errno::inval);  // not an HVM domain: looked at first
  }
  const Result<void> self = check_self(call, *id);
  return negative(self ? Errno::perm : self.error());
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t word, std::uint64_t arg) {
  const std::uint64_t command = word & ((1ULL << command_bits) - 1);
  const std::uint64_t start = word >> command_bits;
  switch (command) {
    case XENMEM_increase_reservation:
    case XENMEM_populate_physmap:
    case XENMEM_decrease_reservation: return change_reservation(call, command, arg, start);
    case XENMEM_add_to_physmap: return add_to_physmap(call, arg);
    case XENMEM_add_to_physmap_batch: return add_to_physmap_batch(call, arg, start);
    case XENMEM_remove_from_physmap: return to_value(remove_from_physmap(call, arg));
    case XENMEM_memory_map: return to_value(memory_map(call, arg));
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn: return ask_own(call, command, arg);
    case XENMEM_get_pod_target:
    case XENMEM_set_pod_target: return pod_target(call, arg);
    case XENMEM_maximum_ram_page: return static_cast<std::int64_t>(call.parts.core.last_frame);
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::memory_op
