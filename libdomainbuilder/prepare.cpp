// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <xen/features.h>

#include "libdomainbuilder/acpi/tables.hpp"
#include "libdomainbuilder/boot/start_info.hpp"
#include "libdomainbuilder/build.hpp"
#include "libdomainbuilder/image/note_reader.hpp"
#include "libdomainbuilder/layout/addresses.hpp"
#include "libdomainbuilder/phase_clock.hpp"

namespace xl::build {

namespace {

constexpr std::size_t max_command_line = 4095;
constexpr std::uint32_t max_vcpus = 128;  // APIC ids are 8 bits, two per vcpu

Result<void> check(const BuildRequest& request) {
  if (request.command_line.size() > max_command_line) {
    return fail(ErrorId::command_line_wrong,
                fmt::format("the kernel's command line has {} bytes; at most {} are allowed",
                            request.command_line.size(), max_command_line),
                "shorten cmdline, root and extra");
  }
  if (request.command_line.find('\0') != std::string::npos) {
    return fail(ErrorId::command_line_wrong, "the kernel's command line has a NUL byte",
                "remove it");
  }
  if (request.vcpus < 1 || request.vcpus > request.max_vcpus || request.max_vcpus > max_vcpus) {
    return fail(ErrorId::vcpus_out_of_range,
                fmt::format("{} of {} vcpus cannot be: 1 <= vcpus <= maxvcpus <= {}", request.vcpus,
                            request.max_vcpus, max_vcpus));
  }
  return {};
}

// Linux kernels that do not say linux_rsdp_unrestricted look for the RSDP in the BIOS area only,
// whatever start info says.
bool needs_bios_area_rsdp(const ImageReport& report) {
  const Note* const os = find_note(report.notes, NoteType::guest_os);
  return os != nullptr && os->text == "linux" &&
         (report.features.supported_mask & (1U << XENFEAT_linux_rsdp_unrestricted)) == 0;
}

Result<void> open_ramdisk(Prepared& prepared) {
  const std::string& path = prepared.request.ramdisk;
  if (path.empty()) {
    return {};
  }
  XL_TRY_ASSIGN(prepared.ramdisk, open_file(path, "a ramdisk"));
  if (prepared.ramdisk->identity.size == 0) {
    return fail(ErrorId::ramdisk_empty, fmt::format("'{}' is empty, not a ramdisk", path),
                "make it anew, or leave ramdisk out");
  }
  return {};
}

}  // namespace

Result<Prepared> prepare(const BuildRequest& request, ImageCache& cache) {
  XL_TRY(check(request));
  Prepared prepared;
  prepared.request = request;
  PhaseClock clock(prepared.phases);
  XL_TRY_ASSIGN(ImageCache::Found found, cache.find(request.kernel));
  prepared.image = std::move(found.image);
  XL_TRY(open_ramdisk(prepared));
  clock.done("image", found.was_cached ? "cached" : "read");
  if (request.acpi) {
    prepared.acpi = acpi::make_tables({request.vcpus, request.max_vcpus}, acpi_start);
  }
  const bool has_ramdisk = prepared.ramdisk.has_value();
  const Bytes ramdisk_size(has_ramdisk ? prepared.ramdisk->identity.size : 0);
  const LayoutInput input{
      request.memory,
      prepared.image->segments(),
      ramdisk_size,
      start_info_size(request.command_line.size(), has_ramdisk, max_memory_map_entries),
      Bytes(prepared.acpi.size()),
      needs_bios_area_rsdp(prepared.image->report()),
      request.kernel,
      request.max_memory,
      request.slack};
  XL_TRY_ASSIGN(prepared.layout, make_layout(input));
  const Layout& layout = prepared.layout;
  prepared.start_info = make_start_info(
      {request.command_line, layout.initrd, ramdisk_size, layout.rsdp, layout.memory_map},
      layout.start_info);
  clock.done("layout");
  return prepared;
}

std::string describe(const Prepared& prepared) {
  return describe(prepared.layout);
}

}  // namespace xl::build
