// SPDX-License-Identifier: Apache-2.0
// HYPERVISOR_grant_table_op (public/grant_table.h): the operations that an HVM container may use.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp::grant_op {

// GNTST_* for an error of the core.
constexpr std::int16_t status_of(Errno error) {
  switch (error) {
    case Errno::srch: return GNTST_bad_domain;
    case Errno::perm: return GNTST_permission_denied;
    case Errno::nospc:
    case Errno::nomem: return GNTST_no_device_space;
    case Errno::fault: return GNTST_bad_virt_addr;
    default: return GNTST_general_error;
  }
}

// Xen accepts only the own id without privilege.
template <typename P>
std::int16_t check_domain(const Call<P>& call, std::uint16_t id) {
  if (call.is_self(id)) {
    return GNTST_okay;
  }
  return id == 0 || call.parts.core.domains.find(DomId(id)) != nullptr ? GNTST_permission_denied
                                                                       : GNTST_bad_domain;
}

template <typename P>
Result<void> query_size(const Call<P>& call, std::uint64_t arg) {
  XL_TRY_ASSIGN(gnttab_query_size op, call.template read<gnttab_query_size>(arg));
  op.status = check_domain(call, op.dom);
  if (op.status == GNTST_okay) {
    Guard guard(call.domain().memory_lock);
    op.nr_frames = call.domain().grants.frame_count();
    op.max_nr_frames = max_grant_frames;
  }
  return call.write(arg, op);
}

// Frame numbers mean nothing to a translated guest, which maps with add_to_physmap; they are given
// as Xen gives them: gfns, or all ones where the frame is not mapped.
template <typename P>
Result<void> setup_table(const Call<P>& call, std::uint64_t arg) {
  Fields<P> fields(call, arg);
  XL_TRY_ASSIGN(const std::uint16_t id, fields.template next<std::uint16_t>());
  XL_TRY_ASSIGN(const std::uint32_t count, fields.template next<std::uint32_t>());
  const std::uint64_t status_at = fields.position();
  XL_TRY(fields.template next<std::int16_t>());
  XL_TRY_ASSIGN(const std::uint64_t list, fields.next_word());
  std::int16_t status = check_domain(call, id);
  if (status == GNTST_okay && count > max_grant_frames) {
    status = GNTST_general_error;
  }
  if (status == GNTST_okay) {
    Domain<P>& domain = call.domain();
    Guard guard(domain.memory_lock);
    const Result<void> grown =
        domain.grants.grow(count, [&] { return call.parts.core.alloc_pages(&domain, 0); });
    status = grown ? std::int16_t{GNTST_okay} : status_of(grown.error());
  }
  for (std::uint32_t i = 0; status == GNTST_okay && i < count; ++i) {
    XL_TRY(call.write_word(list + i * call.pointer_size(), ~0ULL));
  }
  return call.write(status_at, status);
}

template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t arg,
                      std::uint64_t count) {
  switch (command) {
    case GNTTABOP_query_size:
      return count != 1 ? negative(Errno::inval) : to_value(query_size(call, arg));
    case GNTTABOP_setup_table:
      return count != 1 ? negative(Errno::inval) : to_value(setup_table(call, arg));
    default: return negative(Errno::nosys);
  }
}

}  // namespace hyp::grant_op
