// SPDX-License-Identifier: Apache-2.0
// The pieces of a core file that are not memory. Pure.
#pragma once

#include <string>

#include "libxl++/coredump/core_writer.hpp"

namespace xl::coredump {

// The content of .note.Xen: none, header, xen_version, format_version.
std::string xen_notes(const CoreInfo& info);
// For PT_NOTE: an NT_PRSTATUS for each vcpu, whose pid is the vcpu's number plus one.
std::string status_notes(const CoreInfo& info);
// The content of .xen_prstatus: a vcpu_guest_context_t for each vcpu.
std::string guest_contexts(const CoreInfo& info);

Pages total_pages(const CoreInfo& info);

}  // namespace xl::coredump
