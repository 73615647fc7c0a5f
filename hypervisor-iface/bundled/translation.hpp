// SPDX-License-Identifier: Apache-2.0
// What the hypervisor says of where guest frames lie, checked before a byte of it is used.
#pragma once

#include <vector>

#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/wire.hpp"

namespace xl::hv::bundled {

// Appends the records of one answer to `translate` as mapped memory. protocol, unless they cover
// [at, at + covered) in order without gap or excess, and all of it is RAM outside of what the
// hypervisor and the host share.
Result<void> append_segments(const Ram& ram, Gfn at, Pages covered,
                             const std::vector<abi::ExtentRecord>& found,
                             std::vector<MappedSegment>& segments);

}  // namespace xl::hv::bundled
