// SPDX-License-Identifier: Apache-2.0
// The layout for people.
#include <fmt/format.h>
#include <xen/arch-x86/hvm/start_info.h>

#include <iterator>

#include "libdomainbuilder/layout/layout.hpp"

namespace xl::build {

namespace {

std::string_view type_name(std::uint32_t type) {
  switch (type) {
    case XEN_HVM_MEMMAP_TYPE_RAM: return "RAM";
    case XEN_HVM_MEMMAP_TYPE_RESERVED: return "reserved";
    case XEN_HVM_MEMMAP_TYPE_ACPI: return "ACPI data";
    case XEN_HVM_MEMMAP_TYPE_NVS: return "ACPI NVS";
    default: return "unusable";
  }
}

std::string size_text(Bytes size) {
  const std::uint64_t bytes = size.count();
  if (bytes % (1 << 20) == 0) {
    return fmt::format("{} MiB", bytes >> 20);
  }
  return bytes % (1 << 10) == 0 ? fmt::format("{} KiB", bytes >> 10)
                                : fmt::format("{} bytes", bytes);
}

// [start, end) as hex; ranges inside RAM or the hole are indented under it.
void add_row(std::string& text, GuestPhys start, Bytes size, bool inner, std::string_view words) {
  fmt::format_to(std::back_inserter(text), "  {:#013x}-{:#013x}  {:>12}  {}{}\n", start.value(),
                 (start + size).value(), size_text(size), inner ? "  " : "", words);
}

}  // namespace

std::string_view to_string(RangeKind kind) {
  switch (kind) {
    case RangeKind::ram: return "ram";
    case RangeKind::kernel: return "kernel";
    case RangeKind::initrd: return "initrd";
    case RangeKind::start_info: return "start_info";
    case RangeKind::special: return "special";
    case RangeKind::acpi: return "acpi";
    case RangeKind::hole: return "hole";
  }
  return "hole";
}

std::string describe(const Layout& layout) {
  std::string text = "guest physical memory:\n";
  for (const Range& range : layout.ranges) {
    const bool outer = range.kind == RangeKind::ram || range.name == "hole";
    add_row(text, range.start, range.size, !outer, range.name);
  }
  text += "memory map for the guest:\n";
  for (const hv::MemoryMapEntry& entry : layout.memory_map) {
    add_row(text, entry.start, entry.size, false, type_name(entry.type));
  }
  fmt::format_to(std::back_inserter(text), "populated: {} pages ({}) in {} extents\n",
                 layout.populated.count(), size_text(to_bytes(layout.populated)),
                 layout.extents.size());
  if (!layout.on_demand.empty()) {
    fmt::format_to(std::back_inserter(text), "RAM on demand, up to {} pages ({}) in all\n",
                   layout.target.count(), size_text(to_bytes(layout.target)));
  }
  return text;
}

}  // namespace xl::build
