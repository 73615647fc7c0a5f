// SPDX-License-Identifier: Apache-2.0
// What a hostile guest shows the hypervisor outside of hypercalls: instruction bytes, page tables,
// LAPIC registers, MSRs. Beyond "no crash": a decoded instruction is no longer than its bytes, a
// walk reads only words of the guest, the LAPIC offers only vectors that were requested, an MTRR is
// what was last written to it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>

#include "hypervisor/x86_64/guest_walk.hpp"
#include "hypervisor/x86_64/machine_check.hpp"
#include "hypervisor/x86_64/mmio_decoder.hpp"
#include "hypervisor/x86_64/mtrr.hpp"
#include "hypervisor/x86_64/virtual_lapic.hpp"

namespace {

using namespace hyp::x86;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void decode(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t longest = 15;
  const auto count = static_cast<unsigned>(std::min(size, longest));
  for (const CodeSize code : {CodeSize::bits16, CodeSize::bits32, CodeSize::bits64}) {
    if (const auto access = MmioDecoder(data, count, code).decode()) {
      require(access->length <= count && access->reg < 16 && (access->read || access->write));
      require(access->size == 1 || access->size == 2 || access->size == 4 || access->size == 8);
    }
  }
}

// The input is the guest's memory, from address 0 on, and repeats.
void walk(const std::uint8_t* data, std::size_t size) {
  std::uint64_t words[5] = {};
  std::memcpy(words, data, std::min(size, sizeof(words)));
  unsigned reads = 0;
  const auto read_entry = [&](xl::GuestPhys at, unsigned bytes) -> std::optional<std::uint64_t> {
    ++reads;
    require(bytes == 4 || bytes == 8);
    require(at.value() % bytes == 0);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      value |= static_cast<std::uint64_t>(data[(at.value() + i) % size]) << (8 * i);
    }
    return value;
  };
  const auto found =
      walk_guest({words[0], words[1], words[2], words[3]}, words[4], (size & 1) != 0, read_entry);
  require(reads <= 4);
  require(!found || found->value() < 1ULL << 52);
}

void drive_lapic(const std::uint8_t* data, std::size_t size) {
  VirtualLapic lapic;
  lapic.reset(data[0], (data[0] & 1) != 0);
  bool requested[256] = {};
  std::uint64_t now = 0;
  for (std::size_t at = 0; at + 7 <= size; at += 7) {
    std::uint32_t value = 0;
    std::memcpy(&value, data + at + 3, sizeof(value));
    const std::uint32_t reg = static_cast<std::uint32_t>(data[at + 1] | data[at + 2] << 8) & 0xff0;
    now += value & 0xffff;
    switch (data[at] & 3) {
      case 0: static_cast<void>(lapic.read(reg, now)); break;
      case 1:
        requested[value & 0xff] |=
            reg == VirtualLapic::reg_self_ipi || reg == VirtualLapic::reg_lvt_timer;
        static_cast<void>(lapic.write(reg, value, now));
        break;
      case 2:
        requested[value & 0xff] = true;
        lapic.request(static_cast<std::uint8_t>(value));
        break;
      default:
        static_cast<void>(lapic.set_base(VirtualLapic::default_page | (value & 0xfff)));
        static_cast<void>(lapic.timer_fired(now));
        break;
    }
    if (const auto vector = lapic.pending_hint()) {
      require(requested[*vector]);
      lapic.accept(*vector);
    }
  }
}

void write_msrs(const std::uint8_t* data, std::size_t size) {
  constexpr unsigned address_bits = 40;
  Mtrrs mtrrs;
  MachineCheck machine_check;
  std::map<std::uint32_t, std::uint64_t> written;
  for (std::size_t at = 0; at + 10 <= size; at += 10) {
    const auto msr = static_cast<std::uint32_t>(data[at] | data[at + 1] << 8) & 0x7ff;
    std::uint64_t value = 0;
    std::memcpy(&value, data + at + 2, sizeof(value));
    if (Mtrrs::contains(msr) && mtrrs.write(msr, value, address_bits)) {
      written[msr] = value;
    }
    if (MachineCheck::contains(msr)) {
      require(!Mtrrs::contains(msr));
      static_cast<void>(machine_check.write(msr, value));
      static_cast<void>(machine_check.read(msr));
    }
  }
  for (const auto& [msr, value] : written) {
    require(mtrrs.read(msr) == value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  decode(data, size);
  walk(data, size);
  drive_lapic(data, size);
  write_msrs(data, size);
  return 0;
}
