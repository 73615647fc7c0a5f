// SPDX-License-Identifier: Apache-2.0
// Sections are those of ACPI 5.0.
#include "libdomainbuilder/acpi/tables.hpp"

#include <fmt/format.h>

#include "base/bits.hpp"
#include "libdomainbuilder/acpi/aml.hpp"
#include "libdomainbuilder/acpi/table_writer.hpp"
#include "libdomainbuilder/layout/addresses.hpp"

namespace xl::build::acpi {

namespace {

constexpr std::size_t table_alignment = 16;

// 5.2.9.3, IA-PC boot architecture flags. Linux takes no VGA and no RTC as the sign of a PVH guest.
using NoVga = Bits<2>;
using NoRtc = Bits<5>;

// 5.2.9, fixed feature flags.
using Wbinvd = Bits<0>;
using ProcessorC1 = Bits<2>;
using NoPowerButton = Bits<4>;
using NoSleepButton = Bits<5>;
using Headless = Bits<12>;
using HardwareReduced = Bits<20>;

// 5.2.12.2
constexpr std::byte madt_local_apic{0};
constexpr std::size_t madt_local_apic_size = 8;
using LocalApicEnabled = Bits<0>;

// Name (_STA, ...): present, enabled, shown, working. 6.3.7
constexpr std::uint32_t status_present = 0xf;

// A vcpu's entry of the MADT: type, length, uid as _UID, APIC id, flags. 5.2.12.2
std::vector<std::byte> local_apic(std::uint32_t vcpu, bool enabled) {
  std::vector<std::byte> entry{madt_local_apic, std::byte{madt_local_apic_size},
                               static_cast<std::byte>(vcpu), std::byte{apic_id(vcpu)},
                               static_cast<std::byte>(LocalApicEnabled::make(enabled))};
  entry.resize(madt_local_apic_size);
  return entry;
}

// Appends at the next aligned offset. Returns where.
GuestPhys place(std::vector<std::byte>& block, GuestPhys base,
                const std::vector<std::byte>& table) {
  block.resize((block.size() + table_alignment - 1) / table_alignment * table_alignment);
  const GuestPhys at = base + Bytes(block.size());
  block.insert(block.end(), table.begin(), table.end());
  return at;
}

}  // namespace

std::vector<std::byte> make_dsdt(const Processors& processors) {
  using namespace aml;
  Term devices;
  for (std::uint32_t vcpu = 0; vcpu < processors.possible; ++vcpu) {
    Term contents = name("_HID", string("ACPI0007"));
    contents += name("_UID", integer(vcpu));
    contents += name("_STA", integer(status_present));
    if (vcpu >= processors.present) {
      contents += name("_MAT", buffer(local_apic(vcpu, true)));
    }
    devices += device(fmt::format("C{:03X}", vcpu), contents);
  }
  return std::move(TableWriter("DSDT", 2).append(scope("\\_SB", devices))).finish();
}

std::vector<std::byte> make_madt(const Processors& processors) {
  TableWriter table("APIC", 3);
  table.add(static_cast<std::uint32_t>(lapic_page.value()));
  table.add(std::uint32_t{0});  // no 8259s
  for (std::uint32_t vcpu = 0; vcpu < processors.possible; ++vcpu) {
    table.append(local_apic(vcpu, vcpu < processors.present));
  }
  return std::move(table).finish();
}

std::vector<std::byte> make_fadt(GuestPhys dsdt) {
  TableWriter table("FACP", 5);
  table.skip_to(40).add(static_cast<std::uint32_t>(dsdt.value()));
  table.skip_to(109).add(static_cast<std::uint16_t>(NoVga::mask | NoRtc::mask));
  table.skip_to(112).add(static_cast<std::uint32_t>(Wbinvd::mask | ProcessorC1::mask |
                                                    NoPowerButton::mask | NoSleepButton::mask |
                                                    Headless::mask | HardwareReduced::mask));
  table.skip_to(140).add(dsdt.value());
  return std::move(table.skip_to(268)).finish();
}

std::vector<std::byte> make_xsdt(std::span<const GuestPhys> tables) {
  TableWriter table("XSDT", 1);
  for (const GuestPhys at : tables) {
    table.add(at.value());
  }
  return std::move(table).finish();
}

std::array<std::byte, rsdp_size> make_rsdp(GuestPhys xsdt) {
  // 5.2.5.3: signature, checksum of the first 20 bytes, OEM, revision 2, no RSDT, length, XSDT,
  // checksum of all.
  constexpr std::size_t first_part = 20;
  constexpr std::size_t checksum_at = 8;
  constexpr std::size_t length_at = 20;
  constexpr std::size_t xsdt_at = 24;
  constexpr std::size_t full_checksum_at = 32;
  std::array<std::byte, rsdp_size> rsdp{};
  std::memcpy(rsdp.data(), "RSD PTR \0XLPP  \2", 16);
  const std::uint32_t length = rsdp_size;
  std::memcpy(rsdp.data() + length_at, &length, sizeof length);
  const std::uint64_t address = xsdt.value();
  std::memcpy(rsdp.data() + xsdt_at, &address, sizeof address);
  rsdp[checksum_at] = checksum(std::span(rsdp).first(first_part));
  rsdp[full_checksum_at] = checksum(rsdp);
  return rsdp;
}

std::vector<std::byte> make_tables(const Processors& processors, GuestPhys at) {
  std::vector<std::byte> block(rsdp_size);
  const GuestPhys dsdt = place(block, at, make_dsdt(processors));
  const std::array<GuestPhys, 2> listed{place(block, at, make_fadt(dsdt)),
                                        place(block, at, make_madt(processors))};
  const auto rsdp = make_rsdp(place(block, at, make_xsdt(listed)));
  std::copy(rsdp.begin(), rsdp.end(), block.begin());
  return block;
}

}  // namespace xl::build::acpi
