// SPDX-License-Identifier: Apache-2.0
// A domain's core file: ELF64, with two views of the same memory (docs/adr/0100):
//  - sections, as docs/misc/dump-core-format.txt of Xen has them: .note.Xen, .xen_prstatus,
//    .xen_pages, .xen_pfn
//  - program headers, for gdb and crash: PT_NOTE with one NT_PRSTATUS for each vcpu, one PT_LOAD
//    for each extent of memory, at its guest physical address
// Pure: memory comes from a function, the file goes to an Output, in order.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/coredump/output.hpp"

namespace xl::coredump {

struct CoreVcpu {
  VcpuId id;
  hv::VcpuContext context;
};

struct CoreInfo {  // all but the memory's content
  std::vector<CoreVcpu> vcpus;
  std::vector<hv::Extent> extents;  // ascending, without overlap
  std::string hypervisor_version;   // "4.17.7"
  std::string capabilities;
};

// Copies the frames; those that are not there any more are left as they are in `into`, zero.
using ReadFrames = std::function<Result<void>(hv::Extent frames, std::span<std::byte> into)>;
using Progress = std::function<void(Pages done, Pages total)>;  // often; may be empty

// Needs 4 MiB for itself, however large the domain is. Errors: of what it was given; interrupted.
Result<void> write_core(const CoreInfo& info, const ReadFrames& read, Output& out,
                        const Progress& progress, const std::stop_token& cancel);

}  // namespace xl::coredump
