// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_grant_table_op (public/grant_table.h): the operations that an HVM container may use.
// An operation that takes a list is done in pieces: pointer and count move on. Each element carries
// its own GNTST_* status.
#pragma once

#include "hypervisor/core/call.hpp"
#include "hypervisor/core/grant_copy.hpp"

namespace hyp::grant_op {

inline constexpr std::uint64_t elements_per_call = 32;

// --- the table ---

template <typename P>
Result<void> query_size(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(gnttab_query_size op, call.template read<gnttab_query_size>(arg));
  op.status = check_self(call, op.dom);
  if (op.status == GNTST_okay) {
    Guard guard(call.domain().memory_lock);
    op.nr_frames = call.domain().grants.frame_count();
    op.max_nr_frames = max_grant_frames;
  }
  return call.write(arg, op);
}

// Frame numbers mean nothing to a translated guest, which maps the frames with add_to_physmap: the
// list is filled with the number that no frame has.
template <typename P>
Result<void> setup_table(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  XL_TRY_ASSIGN(const std::uint16_t id, fields.template next<std::uint16_t>());
  XL_TRY_ASSIGN(const std::uint32_t count, fields.template next<std::uint32_t>());
  const std::uint64_t status_at = fields.position();
  XL_TRY(fields.template next<std::int16_t>());
  XL_TRY_ASSIGN(const std::uint64_t list, fields.next_word());
  std::int16_t status = check_self(call, id);
  if (status == GNTST_okay && count > max_grant_frames) {
    status = GNTST_general_error;
  }
  if (status == GNTST_okay) {
    Domain<P>& domain = call.domain();
    Guard guard(domain.memory_lock);
    const Result<void> grown =
        domain.grants.grow(count, [&] { return call.parts.core.alloc_pages(&domain, 0); });
    status = grown ? std::int16_t{GNTST_okay} : std::int16_t{GNTST_general_error};
  }
  for (std::uint32_t i = 0; status == GNTST_okay && i < count; ++i) {
    XL_TRY(call.write_word(list + i * call.pointer_size(), ~0ULL));
  }
  return call.write(status_at, status);
}

template <typename P>
Result<void> set_version(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(gnttab_set_version op, call.template read<gnttab_set_version>(arg));
  const Result<void> result = call.parts.grants.set_version(call.domain(), op.version);
  op.version = call.domain().grants.version();
  XL_TRY(call.write(arg, op));
  return result;
}

template <typename P>
Result<void> get_version(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(gnttab_get_version op, call.template read<gnttab_get_version>(arg));
  if (const std::int16_t status = check_self(call, op.dom); status != GNTST_okay) {
    return fail(status == GNTST_bad_domain ? Errno::srch : Errno::perm);
  }
  op.version = call.domain().grants.version();
  return call.write(arg, op);
}

// --- elements of lists: each returns the status that the element gets ---

template <typename P>
std::int16_t run(const Call<P>& call, gnttab_map_grant_ref& op) {
  Domain<P>* const granter = find_peer(call, op.dom);
  if (granter == nullptr) {
    return GNTST_bad_domain;
  }
  constexpr std::uint32_t refused = GNTMAP_application_map | GNTMAP_contains_pte;
  if ((op.flags & GNTMAP_host_map) == 0 || (op.flags & refused) != 0) {
    return GNTST_general_error;
  }
  const Gfn gfn(op.host_addr >> xl::page_shift);
  const GrantResult<std::uint32_t> handle = call.parts.grants.map(
      call.domain(), *granter, op.ref, gfn, (op.flags & GNTMAP_readonly) == 0);
  if (!handle) {
    return status_of(handle.error());
  }
  op.handle = *handle;
  op.dev_bus_addr = 0;
  return GNTST_okay;
}

template <typename P>
std::int16_t run(const Call<P>& call, gnttab_unmap_grant_ref& op) {
  const GrantResult<void> done =
      call.parts.grants.unmap(call.domain(), op.handle, Gfn(op.host_addr >> xl::page_shift));
  return done ? std::int16_t{GNTST_okay} : status_of(done.error());
}

template <typename P>
std::int16_t run(const Call<P>& call, gnttab_swap_grant_ref& op) {
  const GrantResult<void> done = call.parts.grants.swap(call.domain(), op.ref_a, op.ref_b);
  if (done) {
    return GNTST_okay;
  }
  return done.error() == GrantError::no_space ? std::int16_t{GNTST_eagain}
                                              : status_of(done.error());
}

// Structures that both widths lay out alike.
template <typename Op, typename P>
std::int64_t list(const Call<P>& call, std::uint64_t arg, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = arg + i * sizeof(Op);
    if (i == elements_per_call) {
      call.frame.args[1] = at;
      call.frame.args[2] = count - i;
      return call.again();
    }
    Result<Op> op = call.template read<Op>(at);
    if (!op) {
      return negative(Errno::fault);
    }
    op->status = run(call, *op);
    if (!call.write(at, *op)) {
      return negative(Errno::fault);
    }
  }
  return 0;
}

template <typename P>
std::int64_t copy_list(const Call<P>& call, std::uint64_t arg, std::uint64_t count) {
  const std::uint64_t size = CopyRequest::size(call.wide());
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = arg + i * size;
    if (i == elements_per_call) {
      call.frame.args[1] = at;
      call.frame.args[2] = count - i;
      return call.again();
    }
    const Result<CopyRequest> op = read_copy(call, at);
    if (!op || !call.write(at + CopyRequest::status_at(call.wide()), copy(call, *op))) {
      return negative(Errno::fault);
    }
  }
  return 0;
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg,
                      std::uint64_t count) {
  // As Xen: a negative count of its `unsigned int` is refused.
  if (static_cast<std::int32_t>(count) < 0) {
    return negative(Errno::inval);
  }
  const bool one = count == 1;
  switch (command) {
    case GNTTABOP_query_size: return one ? to_value(query_size(call, arg)) : negative(Errno::inval);
    case GNTTABOP_setup_table:
      return one ? to_value(setup_table(call, arg)) : negative(Errno::inval);
    case GNTTABOP_set_version: return to_value(set_version(call, arg));
    case GNTTABOP_get_version: return to_value(get_version(call, arg));
    case GNTTABOP_map_grant_ref: return list<gnttab_map_grant_ref>(call, arg, count);
    case GNTTABOP_unmap_grant_ref: return list<gnttab_unmap_grant_ref>(call, arg, count);
    case GNTTABOP_swap_grant_ref: return list<gnttab_swap_grant_ref>(call, arg, count);
    case GNTTABOP_copy: return copy_list(call, arg, count);
    default: return negative(Errno::nosys);  // the rest is closed to HVM containers, as in Xen
  }
}

}  // namespace hyp::grant_op
