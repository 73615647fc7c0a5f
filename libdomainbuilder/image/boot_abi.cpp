// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/boot_abi.hpp"

#include <fmt/format.h>
#include <xen/features.h>

#include <algorithm>

#include "libdomainbuilder/image/note_reader.hpp"

namespace xl::build {

namespace {

Error cannot(std::string message, std::string hint) {
  return make_error(ErrorId::kernel_no_entry, std::move(message), std::move(hint));
}

bool is_inside(const SegmentReport& segment, std::uint64_t address) {
  return address >= segment.physical.value() &&
         address - segment.physical.value() < segment.memory_size.count();
}

// The PVH entry note must name 32 bits that lie in what is loaded.
std::optional<Error> check_entry(const ImageReport& report, const Note& note) {
  if (!note.number) {
    return cannot(fmt::format("has a PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY) of {} bytes "
                              "where 4 or 8 are due",
                              note.descriptor_size),
                  "build the kernel anew");
  }
  if (*note.number > 0xffffffffU) {
    return cannot(
        fmt::format("has a PVH entry at {:#x}, which a 32-bit entry cannot reach", *note.number),
        "build the kernel anew");
  }
  const bool loaded =
      std::any_of(report.segments.begin(), report.segments.end(),
                  [&](const auto& segment) { return is_inside(segment, *note.number); });
  if (!loaded) {
    return cannot(
        fmt::format("has a PVH entry at {:#x}, where none of its segments lies", *note.number),
        "build the kernel anew");
  }
  return std::nullopt;
}

bool offers(const ImageReport& report, unsigned feature) {
  return (report.features.supported_mask & (1U << feature)) != 0;
}

bool is_classic_pvh(const ImageReport& report) {
  return find_note(report.notes, NoteType::entry) != nullptr &&
         find_note(report.notes, NoteType::hypercall_page) != nullptr &&
         offers(report, XENFEAT_auto_translated_physmap) &&
         offers(report, XENFEAT_hvm_callback_vector);
}

}  // namespace

std::vector<BootAbi> find_boot_abis(const ImageReport& report) {
  std::vector<BootAbi> abis;
  const Note* const pvh = find_note(report.notes, NoteType::phys32_entry);
  if (pvh != nullptr && !check_entry(report, *pvh)) {
    abis.push_back(BootAbi::pvh);
  }
  if (pvh == nullptr && is_classic_pvh(report)) {
    abis.push_back(BootAbi::classic_pvh);
  }
  const Note* const entry = find_note(report.notes, NoteType::entry);
  if (entry != nullptr && entry->number) {
    abis.push_back(BootAbi::pv);
  }
  return abis;
}

std::optional<Error> why_not_pvh(const ImageReport& report) {
  if (const Note* note = find_note(report.notes, NoteType::phys32_entry)) {
    return check_entry(report, *note);
  }
  constexpr std::string_view missing = "has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY)";
  if (report.can_boot(BootAbi::classic_pvh)) {
    return cannot(fmt::format("{}, only that of classic PVH, which is not supported yet", missing),
                  "use Linux 4.11 or later, built with CONFIG_PVH=y");
  }
  if (report.can_boot(BootAbi::pv)) {
    return cannot(fmt::format("{}, only that of PV, which is not supported", missing),
                  "build the kernel with CONFIG_PVH=y");
  }
  return cannot(std::string(missing), "build the kernel with CONFIG_PVH=y");
}

GuestPhys pvh_entry(const ImageReport& report) {
  const Note* const note = find_note(report.notes, NoteType::phys32_entry);
  return GuestPhys(note->number.value_or(0));
}

}  // namespace xl::build
