// SPDX-License-Identifier: Apache-2.0
// Whether the hypervisor can run on this machine, as the user who asks: for xl doctor. Everything
// is looked at, so that all that is to be mended is told at once. What is tried is tried in a
// folder of its own below $TMPDIR or /tmp, and nothing stays.
#pragma once

#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/types.hpp"
#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"

namespace xl::hv::bundled {

// All of it, a start of the hypervisor at last: may take seconds.
std::vector<Check> probe(const Options& options);

// --- its parts ---
// Memory and address space for a machine of so much RAM.
std::vector<Check> probe_memory(Bytes machine);
// What is left in the runtime directory by a hypervisor that does not run any more.
Check probe_leftovers(const std::string& runtime_dir);

}  // namespace xl::hv::bundled
