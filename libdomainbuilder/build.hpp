// SPDX-License-Identifier: Apache-2.0
// Building a domain in two steps: prepare() reads files and decides everything, without a
// hypervisor (`xl create -n` stops there); execute() makes it so in a domain that was just created,
// with as few requests as can be.
//
// Thread rule: both may run on any thread, any number at once. Neither keeps what it is given after
// it returned.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libdomainbuilder/image/image.hpp"
#include "libdomainbuilder/image/image_cache.hpp"
#include "libdomainbuilder/image/image_file.hpp"
#include "libdomainbuilder/layout/layout.hpp"

namespace xl::build {

struct BuildRequest {
  std::string kernel;             // absolute, or relative to this process
  std::string ramdisk;            // empty: none
  std::string command_line;       // at most 4095 bytes, no NUL
  Bytes memory;                   // RAM at start, whole KiB; rounded down to pages
  Bytes max_memory;               // what the memory map covers; on demand beyond `memory`
  Pages slack = on_demand_slack;  // then: what the domain may have beyond its memory
  std::uint32_t vcpus = 1;        // enabled in the MADT
  std::uint32_t max_vcpus = 1;    // 1..128, those above `vcpus` are listed as absent
  bool acpi = true;
  DomId console_domain{0};   // who serves the console ring
  DomId xenstore_domain{0};  // who serves the xenstore ring
};

struct PhaseTime {
  const char* phase;  // "image", "layout", "populate", "load", "initrd", "platform"
  std::chrono::nanoseconds time{};
  const char* note = "";  // of "image": "cached" or "read"
};

// All that execute() needs, checked. Move-only: holds the ramdisk open, so that later changes of
// its path do not matter.
struct Prepared {
  BuildRequest request;
  std::shared_ptr<const Image> image;
  std::optional<OpenFile> ramdisk;
  std::vector<std::byte> acpi;        // tables, placed at layout.acpi; empty: none
  std::vector<std::byte> start_info;  // placed at layout.start_info
  Layout layout;
  std::vector<PhaseTime> phases;

  // What create_domain's DomainOptions::max_memory must be at least.
  Pages pages_needed() const {
    Pages sum = layout.populated;
    for (const hv::Extent& extent : layout.on_demand) {
      sum += extent.count;
    }
    return sum;
  }
  // What execute() takes or sets aside of the host's memory.
  Pages pages_at_once() const {
    return layout.on_demand.empty() ? layout.populated : layout.target;
  }
};

struct BuiltDomain {
  EventPort console_port;   // in the domain, unbound, for console_domain: bind it
  EventPort xenstore_port;  // the same for xenstore_domain
  Gfn console_frame;
  Gfn xenstore_frame;
  std::vector<PhaseTime> phases;  // of prepare() and execute()
};

// Errors: invalid_image (kernel or ramdisk), not_found, permission_denied, io, no_memory (guest too
// small), invalid_argument (request).
Result<Prepared> prepare(const BuildRequest& request, ImageCache& cache);

// `domain` must be fresh: no memory yet, never run. On an error the domain is half-made and good
// only for destroy_domain. Error interrupted when `cancel` is requested; checked between the phases
// and while copying.
Result<BuiltDomain> execute(hv::Hypervisor& hypervisor, DomId domain, const Prepared& prepared,
                            std::stop_token cancel = {});

// The layout for `xl -v create -n`.
std::string describe(const Prepared& prepared);

}  // namespace xl::build
