// SPDX-License-Identifier: Apache-2.0
// What the keys mean: one handler per key (see KeyHandler), grouped by subject.
#pragma once

#include "libxl++/config/draft.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

void set_name(const Assignment& assignment, Draft& draft);
void set_uuid(const Assignment& assignment, Draft& draft);
void set_type(const Assignment& assignment, Draft& draft);
void set_builder(const Assignment& assignment, Draft& draft);
void set_pvh(const Assignment& assignment, Draft& draft);

void set_kernel(const Assignment& assignment, Draft& draft);
void set_ramdisk(const Assignment& assignment, Draft& draft);
void set_cmdline(const Assignment& assignment, Draft& draft);
void set_root(const Assignment& assignment, Draft& draft);
void set_extra(const Assignment& assignment, Draft& draft);

void set_memory(const Assignment& assignment, Draft& draft);
void set_maxmem(const Assignment& assignment, Draft& draft);
void set_vcpus(const Assignment& assignment, Draft& draft);
void set_maxvcpus(const Assignment& assignment, Draft& draft);
void set_cpus(const Assignment& assignment, Draft& draft);
void set_cpus_soft(const Assignment& assignment, Draft& draft);
void set_cpu_weight(const Assignment& assignment, Draft& draft);
void set_cap(const Assignment& assignment, Draft& draft);
void set_acpi(const Assignment& assignment, Draft& draft);
void set_hap(const Assignment& assignment, Draft& draft);

// Of keys that are not honoured: values that ask for more than the key as such does.
void check_usbdevice(const Assignment& assignment, Draft& draft);
void check_rdm(const Assignment& assignment, Draft& draft);

void set_on_poweroff(const Assignment& assignment, Draft& draft);
void set_on_reboot(const Assignment& assignment, Draft& draft);
void set_on_watchdog(const Assignment& assignment, Draft& draft);
void set_on_crash(const Assignment& assignment, Draft& draft);
void set_on_soft_reset(const Assignment& assignment, Draft& draft);

}  // namespace xl::config
