// SPDX-License-Identifier: Apache-2.0
// GNTTABOP_copy, and what the grant operations share: who is meant, and what an error is called.
#pragma once

#include "hypervisor/core/call.hpp"
#include "hypervisor/core/grants.hpp"

namespace hyp::grant_op {

// GNTST_* for an error of the core.
constexpr std::int16_t status_of(GrantError error) {
  switch (error) {
    case GrantError::bad_domain: return GNTST_bad_domain;
    case GrantError::bad_ref: return GNTST_bad_gntref;
    case GrantError::bad_handle: return GNTST_bad_handle;
    case GrantError::bad_address: return GNTST_bad_virt_addr;
    case GrantError::no_space: return GNTST_no_device_space;
    default: return GNTST_general_error;
  }
}

// Without privilege a table operation is for the own domain only.
template <typename P>
std::int16_t check_self(const Call<P>& call, std::uint16_t id) {
  if (call.is_self(id)) {
    return GNTST_okay;
  }
  return id == 0 || call.parts.core.domains.find(DomId(id)) != nullptr ? GNTST_permission_denied
                                                                       : GNTST_bad_domain;
}

template <typename P>
Domain<P>* find_peer(const Call<P>& call, std::uint16_t id) {
  return call.is_self(id) ? &call.domain() : call.parts.core.domains.find(DomId(id));
}

// One side of a copy: a grant reference of a domain, or a gfn of the own one.
struct CopySide {
  std::uint64_t ref_or_gfn = 0;
  std::uint16_t domain = 0;
  std::uint16_t offset = 0;
};

struct CopyRequest {
  CopySide source;
  CopySide dest;
  std::uint16_t length = 0;
  std::uint16_t flags = 0;

  static constexpr std::uint64_t size(bool wide) { return wide ? sizeof(gnttab_copy) : 24; }
  static constexpr std::uint64_t status_at(bool wide) {
    return wide ? offsetof(gnttab_copy, status) : 20;
  }
};

template <typename P>
Result<CopyRequest> read_copy(const Call<P>& call, std::uint64_t at) {
  Fields<P> fields(call, at);
  CopyRequest op;
  for (CopySide* const side : {&op.source, &op.dest}) {
    XL_TRY_ASSIGN(side->ref_or_gfn, fields.next_word());
    XL_TRY_ASSIGN(side->domain, fields.template next<std::uint16_t>());
    XL_TRY_ASSIGN(side->offset, fields.template next<std::uint16_t>());
  }
  fields.align_word();
  XL_TRY_ASSIGN(op.length, fields.template next<std::uint16_t>());
  XL_TRY_ASSIGN(op.flags, fields.template next<std::uint16_t>());
  return op;
}

// A frame held for one side while the bytes are copied.
template <typename P>
class HeldSide {
 public:
  HeldSide(const Call<P>& call, const CopySide& side, bool is_ref, bool writing)
      : call_(call), ref_(static_cast<std::uint32_t>(side.ref_or_gfn)), writing_(writing) {
    Domain<P>* const owner = find_peer(call, side.domain);
    if (owner == nullptr) {
      status_ = GNTST_bad_domain;
    } else if (is_ref) {
      take_reference(*owner);
    } else {
      take_own(*owner, side.ref_or_gfn);
    }
  }
  HeldSide(const HeldSide&) = delete;
  HeldSide& operator=(const HeldSide&) = delete;
  ~HeldSide() {
    if (granter_ != nullptr) {
      call_.parts.grants.release(*granter_, ref_, writing_);
    }
  }

  std::int16_t status() const { return status_; }
  // The bytes, or null if they reach beyond what is granted.
  std::byte* bytes(std::uint32_t offset, std::uint32_t length) const {
    if (offset < frame_.offset || offset + length > frame_.offset + frame_.length ||
        offset + length > xl::page_size) {
      return nullptr;
    }
    return call_.parts.core.platform.frame(frame_.mfn) + offset;
  }

 private:
  void take_reference(Domain<P>& owner) {
    const GrantResult<GrantedFrame> frame =
        call_.parts.grants.acquire(owner, ref_, call_.domain().id, writing_, false);
    if (!frame) {
      status_ = status_of(frame.error());
      return;
    }
    granter_ = &owner;
    frame_ = *frame;
  }
  // Without a reference only the own memory may be named.
  void take_own(Domain<P>& owner, std::uint64_t gfn) {
    if (&owner != &call_.domain()) {
      status_ = GNTST_permission_denied;
      return;
    }
    Guard guard(owner.memory_lock);
    const Result<Mfn> mfn = call_.parts.memory.ram_frame(owner, Gfn(gfn));
    if (!mfn) {
      status_ = GNTST_bad_page;
      return;
    }
    frame_.mfn = *mfn;
  }

  const Call<P>& call_;
  std::uint32_t ref_;
  bool writing_;
  std::int16_t status_ = GNTST_okay;
  Domain<P>* granter_ = nullptr;
  GrantedFrame frame_;
};

template <typename P>
std::int16_t copy(const Call<P>& call, const CopyRequest& op) {
  constexpr std::uint16_t known = GNTCOPY_source_gref | GNTCOPY_dest_gref;
  if ((op.flags & ~known) != 0) {
    return GNTST_general_error;
  }
  const HeldSide<P> source(call, op.source, (op.flags & GNTCOPY_source_gref) != 0, false);
  if (source.status() != GNTST_okay) {
    return source.status();
  }
  const HeldSide<P> dest(call, op.dest, (op.flags & GNTCOPY_dest_gref) != 0, true);
  if (dest.status() != GNTST_okay) {
    return dest.status();
  }
  const std::byte* const from = source.bytes(op.source.offset, op.length);
  std::byte* const to = dest.bytes(op.dest.offset, op.length);
  if (from == nullptr || to == nullptr) {
    return GNTST_bad_copy_arg;
  }
  std::memmove(to, from, op.length);
  return GNTST_okay;
}

}  // namespace hyp::grant_op
