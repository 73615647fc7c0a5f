// SPDX-License-Identifier: Apache-2.0
// Writing vcpu_runstate_info into guest memory (public/vcpu.h), in either width.
#pragma once

#include <cstring>

#include "hypervisor/core/parts.hpp"

namespace hyp {

// The runstate of `vcpu` as it is now, to a linear address of `current`, the vcpu that runs on this
// CPU.
template <typename P>
Result<void> write_runstate(Parts<P>& parts, Vcpu<P>& current, Vcpu<P>& vcpu, std::uint64_t linear,
                            bool narrow) {
  static_assert(sizeof(vcpu_runstate_info) == 48);
  const auto now = parts.core.scheduler.runstate(vcpu);
  // i386 aligns 64-bit words to 4 bytes, so that there is no hole behind `state`.
  const std::size_t hole = narrow ? 4 : 8;
  std::array<std::byte, sizeof(vcpu_runstate_info)> record{};
  const auto state = static_cast<std::uint32_t>(now.state);
  std::memcpy(record.data(), &state, sizeof state);
  std::memcpy(record.data() + hole, &now.since, 8);
  std::memcpy(record.data() + hole + 8, now.ns.data(), 32);
  P& platform = parts.core.platform;
  if (!vcpu.domain->runstate_flag.load()) {
    return platform.write_guest(current, linear, record.data(), hole + 40)
               ? Result<void>()
               : Result<void>(fail(Errno::fault));
  }
  // Other vcpus read it too: the flag in the entry time says that it is being written.
  const std::uint64_t busy = now.since | XEN_RUNSTATE_UPDATE;
  std::memcpy(record.data() + hole, &busy, 8);
  if (!platform.write_guest(current, linear + hole, &busy, 8) ||
      !platform.write_guest(current, linear, record.data(), hole + 40) ||
      !platform.write_guest(current, linear + hole, &now.since, 8)) {
    return fail(Errno::fault);
  }
  return {};
}

}  // namespace hyp
