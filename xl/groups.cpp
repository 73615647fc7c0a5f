// SPDX-License-Identifier: Apache-2.0
#include "xl/groups.hpp"

namespace xl::cli {
namespace {

using Name = std::string_view;

constexpr Name domains[] = {"create",      "config-update",
                            "list",        "vm-list",
                            "destroy",     "shutdown",
                            "reboot",      "pause",
                            "unpause",     "rename",
                            "domid",       "domname",
                            "console",     "vncviewer",
                            "uptime",      "dump-core",
                            "sysrq",       "trigger",
                            "mem-set",     "mem-max",
                            "sharing",     "qemu-monitor-command",
                            "button-press"};
constexpr Name transfer[] = {"save", "restore", "migrate", "migrate-receive", "remus"};
constexpr Name vcpus[] = {"vcpu-list",     "vcpu-pin",     "vcpu-set",
                          "sched-credit2", "sched-credit", "sched-rtds"};
constexpr Name host[] = {"info", "dmesg", "top", "claims", "debug-keys", "set-parameters", "devd"};
constexpr Name pools[] = {"cpupool-list",    "cpupool-create",    "cpupool-destroy",
                          "cpupool-rename",  "cpupool-cpu-add",   "cpupool-cpu-remove",
                          "cpupool-migrate", "cpupool-numa-split"};
constexpr Name devices[] = {"block-attach", "block-list",     "block-detach", "cd-insert",
                            "cd-eject",     "network-attach", "network-list", "network-detach",
                            "channel-list", "vtpm-attach",    "vtpm-list",    "vtpm-detach",
                            "vkb-attach",   "vkb-list",       "vkb-detach",   "vdispl-attach",
                            "vdispl-list",  "vdispl-detach",  "vsnd-attach",  "vsnd-list",
                            "vsnd-detach"};
constexpr Name passthrough[] = {"pci-attach",
                                "pci-detach",
                                "pci-list",
                                "pci-assignable-list",
                                "pci-assignable-add",
                                "pci-assignable-remove",
                                "usbctrl-attach",
                                "usbctrl-detach",
                                "usbdev-attach",
                                "usbdev-detach",
                                "usb-list"};
constexpr Name security[] = {"getenforce", "setenforce", "loadpolicy"};
constexpr Name shared_resources[] = {"psr-hwinfo",   "psr-cmt-attach", "psr-cmt-detach",
                                     "psr-cmt-show", "psr-cat-set",    "psr-cat-show",
                                     "psr-mba-set",  "psr-mba-show"};
constexpr Name memory_pools[] = {"tmem-list", "tmem-freeze",      "tmem-thaw",
                                 "tmem-set",  "tmem-shared-auth", "tmem-freeable"};
constexpr Name watching[] = {"wait", "events", "metrics"};
constexpr Name files[] = {"validate", "config-convert", "inspect"};
constexpr Name xl_itself[] = {"daemon", "doctor", "explain", "completion", "version", "help"};

constexpr CommandGroup groups[] = {
    {"Domains", domains},
    {"Saving and moving domains", transfer},
    {"Vcpus and scheduling", vcpus},
    {"Host", host},
    {"CPU pools", pools},
    {"Virtual devices", devices},
    {"Devices passed through", passthrough},
    {"Flask", security},
    {"Platform Shared Resources", shared_resources},
    {"Transcendent memory", memory_pools},
    {"Watching, of xl++", watching},
    {"Configs and kernels, of xl++", files},
    {"xl++ itself", xl_itself},
};

}  // namespace

std::span<const CommandGroup> command_groups() {
  return groups;
}

}  // namespace xl::cli
