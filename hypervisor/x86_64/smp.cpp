// SPDX-License-Identifier: Apache-2.0
// INIT-SIPI, APM volume 2, section 16.5 and 15.27.8.
#include "hypervisor/x86_64/smp.hpp"

#include <cstring>

#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/per_cpu.hpp"

namespace hyp::x86 {

extern "C" {
extern const std::uint8_t ap_trampoline[], ap_trampoline_end[];
extern PerCpu* ap_cpu;
}

namespace {

constexpr std::uint64_t trampoline_page = 0x8000;
constexpr std::uint16_t fw_cfg_selector = 0x510;
constexpr std::uint16_t fw_cfg_data = 0x511;
constexpr std::uint16_t fw_cfg_signature = 0x00;
constexpr std::uint16_t fw_cfg_cpu_count = 0x05;

std::uint32_t read_fw_cfg(std::uint16_t key, unsigned bytes) {
  write_port16(fw_cfg_selector, key);
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint32_t>(read_port(fw_cfg_data)) << (8 * i);
  }
  return value;
}

bool wait_online(const PerCpu& cpu) {
  for (unsigned tries = 0; tries < 2'000'000; ++tries) {
    if (__atomic_load_n(&cpu.online, __ATOMIC_ACQUIRE) != 0) {
      return true;
    }
    pause();
  }
  return false;
}

bool start_cpu(PerCpu& cpu) {
  __atomic_store_n(&ap_cpu, &cpu, __ATOMIC_RELEASE);
  LocalApic apic = local_apic();
  apic.send_init(cpu.apic_id);
  for (int attempt = 0; attempt < 2; ++attempt) {
    apic.send_startup(cpu.apic_id, trampoline_page >> 12);
    if (wait_online(cpu)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::uint32_t count_cpus() {
  constexpr std::uint32_t qemu = 0x554d4551;  // "QEMU"
  if (read_fw_cfg(fw_cfg_signature, 4) != qemu) {
    return 1;
  }
  const std::uint32_t count = read_fw_cfg(fw_cfg_cpu_count, 2);
  return count < 1 ? 1 : count > max_physical_cpus + 1 ? max_physical_cpus + 1 : count;
}

std::uint32_t start_cpus(std::uint32_t count) {
  // SAFETY: RAM below 1 MiB is unused once the start info has been read; the code is
  // position-independent in its page.
  std::memcpy(reinterpret_cast<void*>(trampoline_page), ap_trampoline,
              static_cast<std::size_t>(ap_trampoline_end - ap_trampoline));
  std::uint32_t online = 0;
  while (online < count && start_cpu(prepare_cpu(online, online + 1))) {
    ++online;
  }
  return online;
}

}  // namespace hyp::x86
