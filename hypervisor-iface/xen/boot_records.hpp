// SPDX-License-Identifier: Apache-2.0
// The records by which Xen takes a vcpu's state (public/hvm/save.h): a stream of header, records
// and end. The header and the MTRRs' first values come from Xen, once for all domains.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

struct SaveRecord {
  std::uint16_t type = 0;
  std::uint16_t vcpu = 0;
  std::vector<std::byte> bytes;
};

inline constexpr std::uint16_t cpu_record = 2;     // HVM_SAVE_CODE(CPU)
inline constexpr std::uint16_t mtrr_record = 14;   // HVM_SAVE_CODE(MTRR)
inline constexpr std::uint16_t xsave_record = 16;  // CPU_XSAVE_CODE

VcpuContext context_of(std::span<const std::byte> cpu);
// The registers that the waist has from `context`, all others zero.
SaveRecord make_cpu_record(VcpuId vcpu, const VcpuContext& context);

class BootRecords {
 public:
  // A stream that Xen takes: these records, header and end around them. Asks Xen for the header at
  // the first call.
  Result<std::vector<std::byte>> stream(const Handles& handles, DomId domain,
                                        std::span<const SaveRecord> records);
  // The MTRRs that a PVH vcpu starts with: enabled, all memory write-back.
  Result<SaveRecord> mtrr(const Handles& handles, DomId domain, VcpuId vcpu);

 private:
  Result<void> learn(const Handles& handles, DomId domain);

  std::mutex mutex_;
  std::vector<std::byte> header_;  // with its descriptor
  std::vector<std::byte> mtrr_;
};

}  // namespace xl::hv::xen
