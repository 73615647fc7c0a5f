// SPDX-License-Identifier: Apache-2.0
// The subcommands of xl(1) that do not work here: each with the reason, and what to do instead.
// One that comes to work moves to commands.cpp.
#include "xl/command.hpp"

namespace xl::cli {
namespace {

constexpr std::string_view no_save =
    "a domain's state cannot be written to a file yet; end it with `xl shutdown`, or keep its "
    "memory for analysis with `xl dump-core`";
constexpr std::string_view no_config_update =
    "a domain keeps the config that it was made from, with what xl changed since; `xl destroy` it "
    "and `xl create` it from the new one";
constexpr std::string_view no_restore =
    "there are no saved domains, as they cannot be saved yet; make one from its config with `xl "
    "create`";
constexpr std::string_view no_migration =
    "domains cannot move between hosts yet; end it with `xl shutdown`, and `xl create` it from its "
    "config there";
constexpr std::string_view no_cd_drive = "PVH guests have no emulated CD drive; use block-attach";
constexpr std::string_view no_disks =
    "there is no block backend yet; give the guest its files in its ramdisk";
constexpr std::string_view no_network =
    "there is no network backend yet; reach the guest by `xl console`";
constexpr std::string_view no_vtpm =
    "there is no backend for virtual TPMs; run a software TPM (swtpm) inside the guest";
constexpr std::string_view no_desktop =
    "there is no backend for keyboards, displays and sound; reach the guest by `xl console`";
constexpr std::string_view no_vnc =
    "PVH guests have no graphics card and no VNC server; use `xl console`";
constexpr std::string_view no_device_model =
    "PVH guests have no QEMU as a device model; `xl list -l` and xenstore-ls(1) tell about their "
    "devices";
constexpr std::string_view no_pci =
    "the hypervisor runs inside QEMU and has none of the host's PCI devices; pass them through on "
    "a Xen host with an IOMMU";
constexpr std::string_view no_usb =
    "the hypervisor runs inside QEMU and has none of the host's USB devices; pass them through on "
    "a Xen host";
constexpr std::string_view other_scheduler = "the scheduler is credit2; use `xl sched-credit2`";
constexpr std::string_view one_pool =
    "all CPUs are in one pool, Pool-0, and stay there; keep domains apart with `xl vcpu-pin`, or "
    "with cpus= in the config";
constexpr std::string_view no_debug_keys =
    "the hypervisor takes no debug keys; look at `xl dmesg`, `xl vcpu-list` and `xl metrics`";
constexpr std::string_view no_parameters =
    "the hypervisor has no parameters that change while it runs; xld(8) lists what can be set when "
    "it starts";
constexpr std::string_view no_flask =
    "there is no Flask in the hypervisor; keep tenants apart by user: each has an xld and domains "
    "of their own";
constexpr std::string_view no_psr =
    "the CPUs are emulated and have no Platform Shared Resource features; limit a domain with `xl "
    "sched-credit2 -c`";
constexpr std::string_view backends_are_in_xld =
    "backends run in xld; start it with `xl daemon start`";
constexpr std::string_view no_tmem = "Xen removed transcendent memory in 4.13; use `xl mem-set`";

constexpr Command row(std::string_view name, std::string_view reason) {
  return {name, "", reason, "", nullptr, Effect::changes};
}

constexpr Command table[] = {
    row("config-update", no_config_update),
    row("save", no_save),
    row("restore", no_restore),
    row("migrate", no_migration),
    row("migrate-receive", no_migration),
    row("remus", no_migration),
    row("cd-insert", no_cd_drive),
    row("cd-eject", no_cd_drive),
    row("vncviewer", no_vnc),
    row("qemu-monitor-command", no_device_model),
    row("block-detach", no_disks),
    row("network-detach", no_network),
    row("vtpm-attach", no_vtpm),
    row("vtpm-detach", no_vtpm),
    row("vkb-attach", no_desktop),
    row("vkb-detach", no_desktop),
    row("vdispl-attach", no_desktop),
    row("vdispl-detach", no_desktop),
    row("vsnd-attach", no_desktop),
    row("vsnd-detach", no_desktop),
    row("pci-attach", no_pci),
    row("pci-detach", no_pci),
    row("pci-assignable-add", no_pci),
    row("pci-assignable-remove", no_pci),
    row("usbctrl-attach", no_usb),
    row("usbctrl-detach", no_usb),
    row("usbdev-attach", no_usb),
    row("usbdev-detach", no_usb),
    row("sched-credit", other_scheduler),
    row("sched-rtds", other_scheduler),
    row("cpupool-create", one_pool),
    row("cpupool-destroy", one_pool),
    row("cpupool-rename", one_pool),
    row("cpupool-cpu-add", one_pool),
    row("cpupool-cpu-remove", one_pool),
    row("cpupool-migrate", one_pool),
    row("cpupool-numa-split", one_pool),
    row("debug-keys", no_debug_keys),
    row("set-parameters", no_parameters),
    row("setenforce", no_flask),
    row("loadpolicy", no_flask),
    row("psr-hwinfo", no_psr),
    row("psr-cmt-attach", no_psr),
    row("psr-cmt-detach", no_psr),
    row("psr-cmt-show", no_psr),
    row("psr-cat-set", no_psr),
    row("psr-cat-show", no_psr),
    row("psr-mba-set", no_psr),
    row("psr-mba-show", no_psr),
    row("devd", backends_are_in_xld),
    row("tmem-list", no_tmem),
    row("tmem-freeze", no_tmem),
    row("tmem-thaw", no_tmem),
    row("tmem-set", no_tmem),
    row("tmem-shared-auth", no_tmem),
    row("tmem-freeable", no_tmem),
};

}  // namespace

std::span<const Command> refused_commands() {
  return table;
}

}  // namespace xl::cli
