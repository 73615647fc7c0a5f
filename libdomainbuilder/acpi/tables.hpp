// SPDX-License-Identifier: Apache-2.0
// A PVH guest's ACPI tables: RSDP, XSDT, FADT (hardware-reduced), MADT (local APICs) and DSDT
// (processors). There is no I/O APIC, no PM timer and no sleep register, as there are none; static
// data only, no AML that runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace xl::build::acpi {

inline constexpr std::size_t rsdp_size = 36;

struct Processors {
  std::uint32_t present = 1;   // vcpus 0 to present - 1: enabled
  std::uint32_t possible = 1;  // up to 128; those above `present` are off, to be plugged in later
};

// Xen's choice, which guests rely on: APIC ids leave room for a second thread.
constexpr std::uint8_t apic_id(std::uint32_t vcpu) {
  return static_cast<std::uint8_t>(vcpu * 2);
}

// All tables as one block, to be placed at `at`; the RSDP is its first rsdp_size bytes.
std::vector<std::byte> make_tables(const Processors& processors, GuestPhys at);

// The single tables, for tests.
std::vector<std::byte> make_dsdt(const Processors& processors);
std::vector<std::byte> make_madt(const Processors& processors);
std::vector<std::byte> make_fadt(GuestPhys dsdt);
std::vector<std::byte> make_xsdt(std::span<const GuestPhys> tables);
std::array<std::byte, rsdp_size> make_rsdp(GuestPhys xsdt);

}  // namespace xl::build::acpi
