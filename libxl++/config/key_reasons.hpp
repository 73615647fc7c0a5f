// SPDX-License-Identifier: Apache-2.0
// Why keys of xl.cfg(5) are not honoured, one reason for each group of keys.
#pragma once

#include "libxl++/config/keys.hpp"

namespace xl::config::reasons {

// Of accepted keys: reads on behind "it is about ".
inline constexpr Reason device_model{"the device model, and a PVH domain has none"};
inline constexpr Reason display{"an emulated display, and a PVH domain has none"};
inline constexpr Reason emulated{"emulated hardware, and a PVH domain has none"};
inline constexpr Reason firmware{"firmware, and a PVH domain boots its kernel without any"};
inline constexpr Reason shadow{"shadow paging, and a PVH domain uses the hardware's"};
inline constexpr Reason windows{"what Windows needs, and a PVH domain cannot run that"};
inline constexpr Reason pv_map{"the memory map of PV domains"};
inline constexpr Reason tuning{"a device or a feature that another key has to ask for first"};
inline constexpr Reason pci_devices{"devices of pci=, and there are none"};
inline constexpr Reason migration{"migration, and domains do not migrate yet"};
inline constexpr Reason obsolete{"something that Xen's own xl ignores as well"};

// Of refused keys: reads on behind "'KEY' is not supported: ".
inline constexpr Reason no_altp2m{"guests have no alternate p2m", "remove it"};
inline constexpr Reason arm_only{"it is for Arm, and domains here are x86", "remove it"};
inline constexpr Reason bootloader{"no boot loader is run to find the kernel in the domain's disk",
                                   "name kernel, ramdisk and cmdline in the config"};
inline constexpr Reason boot_firmware{
    "a PVH domain has no firmware",
    "boot the guest's kernel directly: kernel=, ramdisk=, cmdline="};
inline constexpr Reason tables{"a PVH domain has no firmware that could hand these tables on",
                               "remove it if the guest can do without them"};
inline constexpr Reason cpuid{"the CPUID policy cannot be changed yet",
                              "remove it: the domain sees what the hypervisor supports"};
inline constexpr Reason cpu_feature{"it cannot be hidden from a domain", "remove it, or write 1"};
inline constexpr Reason clock{"the domain's clock is UTC, and an offset cannot be set yet",
                              "remove it, and set the time zone in the guest"};
inline constexpr Reason driver_domain{"a domain cannot be the backend of devices yet", "remove it"};
inline constexpr Reason host_hardware{"hardware of the host cannot be given to a domain",
                                      "remove it, or use Xen's own xl on a Xen host"};
inline constexpr Reason limits{"this limit cannot be set yet",
                               "remove it: the domain has the hypervisor's own limit"};
inline constexpr Reason scheduler{"it belongs to another scheduler than credit2",
                                  "use cpu_weight, cap and cpus"};
inline constexpr Reason machine_check{"guests are told of no machine checks", "remove it"};
inline constexpr Reason generation_id{"the generation ID is for Windows, which needs HVM",
                                      "remove it, or write \"none\""};
inline constexpr Reason msr{"unknown MSRs always fault",
                            "remove it if the guest copes with that (Linux does)"};
inline constexpr Reason nested{"a domain cannot be a hypervisor itself", "remove it, or write 0"};
inline constexpr Reason cpupool{"there is one CPU pool, Pool-0", "remove it, and use cpus"};
inline constexpr Reason shim{"the PV shim runs PV kernels, which are not supported",
                             "remove it, and use a kernel that has a PVH entry"};
inline constexpr Reason security{"there are no XSM labels, so nothing would be protected by one",
                                 "remove it"};
inline constexpr Reason timers{"timers always keep up with real time",
                               "remove it, or write \"no_delay_for_missed_ticks\""};
inline constexpr Reason tsc{"the TSC is always the host's", "remove it, or write \"native\""};
inline constexpr Reason tracing{"there is no tracing of vcpus by the CPU", "remove it"};
inline constexpr Reason numa{"there is no virtual NUMA", "remove it: the memory is one node"};
inline constexpr Reason vtpm{"there is no virtual TPM", "remove it"};
inline constexpr Reason usb{"there are no USB devices for domains", "remove it"};
inline constexpr Reason media{"there are no paravirtual displays, keyboards and sound cards",
                              "remove it; the console is at `xl console`"};
inline constexpr Reason vif2{"netchannel2 is gone from Xen too", "use vif"};
inline constexpr Reason xenstore{"the domain's share of xenstore cannot be set yet",
                                 "remove it: the same limits hold for all domains"};
inline constexpr Reason later{"the device is not there yet", "remove it until then"};

}  // namespace xl::config::reasons
