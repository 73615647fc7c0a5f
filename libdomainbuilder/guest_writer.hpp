// SPDX-License-Identifier: Apache-2.0
// Writing into a fresh guest's frames, through a mapping, at memory speed.
#pragma once

#include <span>
#include <stop_token>

#include "base/error.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libdomainbuilder/image/image.hpp"
#include "libdomainbuilder/image/image_file.hpp"

namespace xl::build {

// Copies all runs. Errors: internal if one lies outside the mapping; interrupted.
Result<void> copy_runs(const hv::GuestMapping& mapping, std::span<const LoadRun> runs,
                       const std::stop_token& cancel);

// Copies `size` bytes of the file into the guest at `to`. Errors: read_exactly's, and as
// copy_runs.
Result<void> read_into_guest(const hv::GuestMapping& mapping, GuestPhys to, const OpenFile& file,
                             Bytes size, const std::stop_token& cancel);

}  // namespace xl::build
