// SPDX-License-Identifier: Apache-2.0
// Call<P>: one hypercall under way: who calls, with what, and the guest's memory. Arguments are
// copied once, checked, used.
#pragma once

#include <cstring>
#include <type_traits>

#include "hypervisor/core/hypercall_frame.hpp"
#include "hypervisor/core/parts.hpp"

namespace hyp {

template <typename P>
struct Call {
  Parts<P>& parts;
  Vcpu<P>& vcpu;
  HypercallFrame& frame;

  Domain<P>& domain() const { return *vcpu.domain; }
  std::uint64_t arg(unsigned index) const { return frame.args[index]; }
  bool wide() const { return frame.wide; }
  std::uint64_t pointer_size() const { return frame.wide ? 8 : 4; }

  // A structure that both widths lay out alike.
  template <typename T>
  requires std::is_trivially_copyable_v<T> Result<T> read(std::uint64_t linear)
  const {
    T value{};
    if (!parts.core.platform.read_guest(vcpu, &value, linear, sizeof value)) {
      return fail(Errno::fault);
    }
    return value;
  }
  template <typename T>
  requires std::is_trivially_copyable_v<T> Result<void> write(std::uint64_t linear, const T& value)
  const { return write_bytes(linear, &value, sizeof value); }
  Result<void> read_bytes(void* to, std::uint64_t linear, std::size_t size) const {
    if (!parts.core.platform.read_guest(vcpu, to, linear, size)) {
      return fail(Errno::fault);
    }
    return {};
  }
  Result<void> write_bytes(std::uint64_t linear, const void* from, std::size_t size) const {
    if (!parts.core.platform.write_guest(vcpu, linear, from, size)) {
      return fail(Errno::fault);
    }
    return {};
  }
  // One word of the guest's width: xen_ulong_t, xen_pfn_t, a pointer.
  Result<std::uint64_t> read_word(std::uint64_t linear) const {
    if (frame.wide) {
      return read<std::uint64_t>(linear);
    }
    XL_TRY_ASSIGN(const std::uint32_t value, read<std::uint32_t>(linear));
    return std::uint64_t{value};
  }
  Result<void> write_word(std::uint64_t linear, std::uint64_t value) const {
    if (frame.wide) {
      return write(linear, value);
    }
    return write(linear, static_cast<std::uint32_t>(value));
  }
  // The hypercall is not finished: it is made again with its arguments as they now are.
  std::int64_t again() const {
    frame.restart = true;
    return 0;
  }
  // Whether the argument names the caller's own domain.
  bool is_self(std::uint16_t id) const { return id == DOMID_SELF || id == domain().id.value(); }
};

// A structure whose layout depends on the guest's width, read as its fields come: words of the
// width and fixed ones.
template <typename P>
class Fields {
 public:
  Fields(const Call<P>& call, std::uint64_t linear) : call_(call), at_(linear) {}

  template <typename T>
  Result<T> next() {
    align(sizeof(T) < 8 || call_.wide() ? sizeof(T) : 4);
    Result<T> value = call_.template read<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  Result<std::uint64_t> next_word() {
    align(call_.pointer_size());
    Result<std::uint64_t> value = call_.read_word(at_);
    at_ += call_.pointer_size();
    return value;
  }
  void align_word() { align(call_.pointer_size()); }  // the end of a nested structure
  std::uint64_t position() const { return at_; }

 private:
  void align(std::uint64_t size) { at_ = (at_ + size - 1) & ~(size - 1); }

  const Call<P>& call_;
  std::uint64_t at_;
};

}  // namespace hyp
