// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/translation.hpp"

#include <fmt/format.h>

namespace xl::hv::bundled {

Result<void> append_segments(const Ram& ram, Gfn at, Pages covered,
                             const std::vector<abi::ExtentRecord>& found,
                             std::vector<MappedSegment>& segments) {
  constexpr Mfn first_domain_frame = to_mfn(HostPhys(abi::image_address));
  Pages sum;
  for (const abi::ExtentRecord& record : found) {
    const std::span<std::byte> bytes = ram.frames(Mfn(record.mfn), Pages(record.pages));
    if (bytes.empty() || Mfn(record.mfn) < first_domain_frame || record.gfn != (at + sum).value() ||
        record.pages > (covered - sum).count()) {
      return fail(ErrorId::hypervisor_bad_answer,
                  fmt::format("the hypervisor's translation of guest frame {} makes no sense",
                              (at + sum).value()));
    }
    segments.push_back({at + sum, bytes});
    sum += Pages(record.pages);
  }
  if (sum != covered) {
    return fail(ErrorId::hypervisor_bad_answer, "the hypervisor's translation has gaps");
  }
  return {};
}

}  // namespace xl::hv::bundled
