// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/keys.hpp"

#include <algorithm>
#include <iterator>

#include "base/suggest.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/handlers.hpp"
#include "libxl++/config/handlers_devices.hpp"
#include "libxl++/config/key_reasons.hpp"

namespace xl::config {
namespace {

using namespace reasons;
using Fate = Key::Fate;
using Kind = KeyValue::Kind;
using Name = std::string_view;

constexpr KeyValue text{};
constexpr KeyValue boolean{Kind::boolean};
constexpr KeyValue list{Kind::list};
constexpr KeyValue lists{Kind::lists};
constexpr KeyValue text_or_list{Kind::text_or_list};
constexpr KeyValue boolean_or_list{Kind::boolean_or_list};
constexpr KeyValue any_number{Kind::number};
constexpr KeyValue signed_number{.kind = Kind::number, .negative = true};

constexpr KeyValue number(std::uint64_t least, std::uint64_t most, std::string_view unit = {}) {
  return {Kind::number, {least, most, unit}};
}
constexpr KeyValue number_of(std::string_view unit) {
  return number(0, any_bound, unit);
}
// Names that once were the numbers from 0 to `numbers` - 1.
constexpr KeyValue one_of(std::span<const Name> names, std::uint32_t numbers = 0) {
  return {.kind = Kind::choice, .names = names, .numbers = numbers};
}
constexpr KeyValue boolean_or(std::span<const Name> names) {
  return {.kind = Kind::boolean_or_choice, .names = names};
}

constexpr KeyValue memory_size =
    number(min_memory.count() >> 20, max_memory_limit.count() >> 20, " MiB");
constexpr KeyValue vcpu_count = number(1, max_vcpu_count);

constexpr Name actions[] = {"destroy",          "restart",          "rename-restart", "preserve",
                            "coredump-destroy", "coredump-restart", "soft-reset"};
constexpr Name types[] = {"pvh"};
constexpr Name altp2m_modes[] = {"disabled", "mixed", "external", "limited"};
constexpr Name bioses[] = {"rombios", "seabios", "ovmf"};
constexpr Name device_models[] = {"qemu-xen", "qemu-xen-traditional"};
constexpr Name genids[] = {"generate", "none"};
constexpr Name gfx_kinds[] = {"default", "igd"};
constexpr Name gic_versions[] = {"default", "v2", "v3"};
constexpr Name hd_types[] = {"ide", "ahci"};
constexpr Name passthrough_modes[] = {"default", "disabled", "enabled", "sync_pt", "share_pt"};
constexpr Name spice_compressions[] = {"auto_glz", "auto_lz", "quic", "glz", "lz", "off"};
constexpr Name spice_videos[] = {"filter", "all", "off"};
constexpr Name tees[] = {"none", "optee"};
constexpr Name timer_modes[] = {"delay_for_missed_ticks", "no_delay_for_missed_ticks",
                                "no_missed_ticks_pending", "one_missed_tick_pending"};
constexpr Name tsc_modes[] = {"default", "always_emulate", "native", "native_paravirt"};
constexpr Name vendor_devices[] = {"none", "xenserver"};
constexpr Name vga_cards[] = {"none", "stdvga", "cirrus", "qxl"};

// One row per key that xl.cfg(5) of any release knows, in the order of ASCII.
constexpr Key table[] = {
    // clang-format off
    {"acpi", boolean, Fate::honoured, set_acpi},
    {"acpi_firmware", text, Fate::refused, nullptr, &tables},
    {"acpi_laptop_slate", boolean, Fate::accepted, nullptr, &firmware},
    {"acpi_s3", boolean, Fate::accepted, nullptr, &firmware},
    {"acpi_s4", boolean, Fate::accepted, nullptr, &firmware},
    {"altp2m", one_of(altp2m_modes, 4), Fate::refused, nullptr, &no_altp2m, "disabled,0,"},
    {"altp2m_count", any_number, Fate::accepted, nullptr, &tuning},
    {"altp2mhvm", boolean, Fate::refused, nullptr, &no_altp2m, "0,"},
    {"apic", boolean, Fate::accepted, nullptr, &emulated},
    {"arm_sci", text, Fate::refused, nullptr, &arm_only, "none,"},
    {"bios", one_of(bioses), Fate::accepted, nullptr, &firmware},
    {"bios_path_override", text, Fate::accepted, nullptr, &firmware},
    {"boot", text, Fate::accepted, nullptr, &firmware},
    {"bootloader", text, Fate::refused, nullptr, &bootloader},
    {"bootloader_args", text_or_list, Fate::refused, nullptr, &bootloader},
    {"bootloader_restrict", boolean, Fate::refused, nullptr, &bootloader, "0,"},
    {"bootloader_user", text, Fate::refused, nullptr, &bootloader},
    {"builder", text, Fate::honoured, set_builder},
    {"cap", number(0, max_cap), Fate::honoured, set_cap},
    {"channel", list, Fate::device, set_channel, &later},
    {"cmdline", text, Fate::honoured, set_cmdline},
    {"cpu_weight", number(1, max_weight), Fate::honoured, set_cpu_weight},
    {"cpuid", text_or_list, Fate::refused, nullptr, &cpuid, "host,"},
    {"cpus", text_or_list, Fate::honoured, set_cpus},
    {"cpus_soft", text_or_list, Fate::honoured, set_cpus_soft},
    {"device_model", text, Fate::accepted, nullptr, &device_model},
    {"device_model_args", list, Fate::accepted, nullptr, &device_model},
    {"device_model_args_hvm", list, Fate::accepted, nullptr, &device_model},
    {"device_model_args_pv", list, Fate::accepted, nullptr, &device_model},
    {"device_model_override", text, Fate::accepted, nullptr, &device_model},
    {"device_model_stubdomain_override", boolean, Fate::accepted, nullptr, &device_model},
    {"device_model_stubdomain_seclabel", text, Fate::accepted, nullptr, &device_model},
    {"device_model_user", text, Fate::accepted, nullptr, &device_model},
    {"device_model_version", one_of(device_models), Fate::accepted, nullptr, &device_model},
    {"device_tree", text, Fate::refused, nullptr, &arm_only},
    {"disk", list, Fate::device, set_disk, &later},
    {"display", text, Fate::accepted, nullptr, &display},
    {"dm_restrict", boolean, Fate::accepted, nullptr, &device_model},
    {"driver_domain", boolean, Fate::refused, nullptr, &driver_domain, "0,"},
    {"dtdev", list, Fate::refused, nullptr, &arm_only},
    {"e820_host", boolean, Fate::accepted, nullptr, &pv_map},
    {"extra", text, Fate::honoured, set_extra},
    {"extratime", boolean, Fate::accepted, nullptr, &obsolete},
    {"firmware", text, Fate::refused, nullptr, &boot_firmware},
    {"firmware_override", text, Fate::accepted, nullptr, &firmware},
    {"gfx_passthru", boolean_or(gfx_kinds), Fate::refused, nullptr, &host_hardware, "0,"},
    {"gic_version", one_of(gic_versions), Fate::refused, nullptr, &arm_only, "default,"},
    {"hap", boolean, Fate::honoured, set_hap},
    {"hdtype", one_of(hd_types), Fate::accepted, nullptr, &emulated},
    {"hpet", boolean, Fate::accepted, nullptr, &emulated},
    {"hvm_pirq", boolean, Fate::accepted, nullptr, &emulated},
    {"init_seclabel", text, Fate::refused, nullptr, &security},
    {"iomem", list, Fate::refused, nullptr, &host_hardware},
    {"ioports", list, Fate::refused, nullptr, &host_hardware},
    {"irqs", list, Fate::refused, nullptr, &host_hardware},
    {"kernel", text, Fate::honoured, set_kernel},
    {"keymap", text, Fate::accepted, nullptr, &display},
    {"latency", any_number, Fate::accepted, nullptr, &obsolete},
    {"llc_colors", list, Fate::refused, nullptr, &arm_only},
    {"localtime", boolean, Fate::refused, nullptr, &clock, "0,"},
    {"max_event_channels", any_number, Fate::refused, nullptr, &limits},
    {"max_grant_frames", any_number, Fate::refused, nullptr, &limits},
    {"max_grant_version", number(1, 2), Fate::refused, nullptr, &limits, "2,"},
    {"max_maptrack_frames", any_number, Fate::refused, nullptr, &limits},
    {"maxmem", memory_size, Fate::honoured, set_maxmem},
    {"maxvcpus", vcpu_count, Fate::honoured, set_maxvcpus},
    {"mca_caps", list, Fate::refused, nullptr, &machine_check},
    {"memory", memory_size, Fate::honoured, set_memory},
    {"mmio_hole", number(256, 3840, " MiB"), Fate::accepted, nullptr, &emulated},
    {"ms_vm_genid", one_of(genids), Fate::refused, nullptr, &generation_id, "none,"},
    {"msr_relaxed", boolean, Fate::refused, nullptr, &msr, "0,"},
    {"name", text, Fate::honoured, set_name},
    {"nestedhvm", boolean, Fate::refused, nullptr, &nested, "0,"},
    {"nographic", boolean, Fate::accepted, nullptr, &display},
    {"nomigrate", boolean, Fate::accepted, nullptr, &migration},
    {"nr_spis", any_number, Fate::refused, nullptr, &arm_only, "0,"},
    {"nx", boolean, Fate::refused, nullptr, &cpu_feature, "1,"},
    {"on_crash", one_of(actions), Fate::honoured, set_on_crash},
    {"on_poweroff", one_of(actions), Fate::honoured, set_on_poweroff},
    {"on_reboot", one_of(actions), Fate::honoured, set_on_reboot},
    {"on_soft_reset", one_of(actions), Fate::honoured, set_on_soft_reset},
    {"on_watchdog", one_of(actions), Fate::honoured, set_on_watchdog},
    {"oos", boolean, Fate::accepted, nullptr, &shadow},
    {"opengl", boolean, Fate::accepted, nullptr, &display},
    {"p9", list, Fate::device, set_p9, &later},
    {"pae", boolean, Fate::refused, nullptr, &cpu_feature, "1,"},
    {"passthrough", one_of(passthrough_modes), Fate::refused, nullptr, &host_hardware, "default,disabled,"},
    {"pci", list, Fate::device, set_pci, &host_hardware},
    {"pci_msitranslate", boolean, Fate::accepted, set_pci_default<&Pci::msi_translate>, &pci_devices},
    {"pci_permissive", boolean, Fate::accepted, set_pci_default<&Pci::permissive>, &pci_devices},
    {"pci_power_mgmt", boolean, Fate::accepted, set_pci_default<&Pci::power_management>, &pci_devices},
    {"pci_seize", boolean, Fate::accepted, set_pci_default<&Pci::seize>, &pci_devices},
    {"period", any_number, Fate::refused, nullptr, &scheduler},
    {"pool", text, Fate::refused, nullptr, &cpupool, "Pool-0,"},
    {"pvcalls", list, Fate::device, set_devices<parse_pvcalls, &Devices::pvcalls>, &later},
    {"pvh", boolean, Fate::honoured, set_pvh},
    {"pvshim", boolean, Fate::refused, nullptr, &shim, "0,"},
    {"pvshim_cmdline", text, Fate::accepted, nullptr, &tuning},
    {"pvshim_extra", text, Fate::accepted, nullptr, &tuning},
    {"pvshim_path", text, Fate::accepted, nullptr, &tuning},
    {"ramdisk", text, Fate::honoured, set_ramdisk},
    {"rdm", text, Fate::accepted, check_rdm, &tuning},
    {"rdm_mem_boundary", number_of(" MiB"), Fate::accepted, nullptr, &tuning},
    {"root", text, Fate::honoured, set_root},
    {"rtc_timeoffset", signed_number, Fate::refused, nullptr, &clock, "0,"},
    {"sdl", boolean, Fate::accepted, nullptr, &display},
    {"seclabel", text, Fate::refused, nullptr, &security},
    {"serial", text_or_list, Fate::accepted, nullptr, &emulated},
    {"shadow_memory", number_of(" MiB"), Fate::accepted, nullptr, &shadow},
    {"slice", any_number, Fate::refused, nullptr, &scheduler},
    {"smbios", list, Fate::refused, nullptr, &tables},
    {"smbios_firmware", text, Fate::refused, nullptr, &tables},
    {"soundhw", text, Fate::accepted, nullptr, &emulated},
    {"spice", boolean, Fate::accepted, nullptr, &display},
    {"spice_clipboard_sharing", boolean, Fate::accepted, nullptr, &display},
    {"spice_image_compression", one_of(spice_compressions), Fate::accepted, nullptr, &display},
    {"spice_streaming_video", one_of(spice_videos), Fate::accepted, nullptr, &display},
    {"spiceagent_mouse", boolean, Fate::accepted, nullptr, &display},
    {"spicedisable_ticketing", boolean, Fate::accepted, nullptr, &display},
    {"spicehost", text, Fate::accepted, nullptr, &display},
    {"spicepasswd", text, Fate::accepted, nullptr, &display},
    {"spiceport", number(0, 65535), Fate::accepted, nullptr, &display},
    {"spicetls_port", number(0, 65535), Fate::accepted, nullptr, &display},
    {"spiceusbredirection", number(0, 4), Fate::accepted, nullptr, &display},
    {"spicevdagent", boolean, Fate::accepted, nullptr, &display},
    {"stdvga", boolean, Fate::accepted, nullptr, &display},
    {"stubdomain_cmdline", text, Fate::accepted, nullptr, &device_model},
    {"stubdomain_kernel", text, Fate::accepted, nullptr, &device_model},
    {"stubdomain_memory", number_of(" MiB"), Fate::accepted, nullptr, &device_model},
    {"stubdomain_ramdisk", text, Fate::accepted, nullptr, &device_model},
    {"sve", text, Fate::refused, nullptr, &arm_only, "disabled,0,"},
    {"tee", one_of(tees), Fate::refused, nullptr, &arm_only, "none,"},
    {"timer_mode", one_of(timer_modes, 4), Fate::refused, nullptr, &timers, "no_delay_for_missed_ticks,1,"},
    {"trap_unmapped_accesses", boolean, Fate::refused, nullptr, &arm_only, "0,"},
    {"tsc_mode", one_of(tsc_modes, 4), Fate::refused, nullptr, &tsc, "default,native,0,2,"},
    {"type", one_of(types), Fate::honoured, set_type},
    {"usb", boolean, Fate::accepted, nullptr, &emulated},
    {"usbctrl", list, Fate::device, set_devices<parse_usb_controller, &Devices::usb_controllers>, &usb},
    {"usbdev", list, Fate::device, set_usbdev, &usb},
    {"usbdevice", text_or_list, Fate::accepted, check_usbdevice, &emulated},
    {"usbversion", number(0, 3), Fate::accepted, nullptr, &emulated},
    {"uuid", text, Fate::honoured, set_uuid},
    {"vcpus", vcpu_count, Fate::honoured, set_vcpus},
    {"vdispl", list, Fate::device, set_devices<parse_vdispl, &Devices::displays>, &media},
    {"vendor_device", one_of(vendor_devices), Fate::accepted, nullptr, &emulated},
    {"vfb", list, Fate::device, set_devices<parse_vfb, &Devices::vfbs>, &later},
    {"vga", one_of(vga_cards), Fate::accepted, nullptr, &display},
    {"videoram", number_of(" MiB"), Fate::accepted, nullptr, &display},
    {"vif", list, Fate::device, set_vif, &later},
    {"vif2", list, Fate::refused, nullptr, &vif2},
    {"viridian", boolean_or_list, Fate::accepted, nullptr, &windows},
    {"virtio", list, Fate::refused, nullptr, &later},
    {"vkb", list, Fate::device, set_devices<parse_vkb, &Devices::vkbs>, &media},
    {"vkb_device", boolean, Fate::accepted, nullptr, &emulated},
    {"vmtrace_buf_kb", number_of(" KiB"), Fate::refused, nullptr, &tracing, "0,"},
    {"vnc", boolean, Fate::accepted, nullptr, &display},
    {"vncdisplay", number(0, 59635), Fate::accepted, nullptr, &display},
    {"vnclisten", text, Fate::accepted, nullptr, &display},
    {"vncpasswd", text, Fate::accepted, nullptr, &display},
    {"vncunused", boolean, Fate::accepted, nullptr, &display},
    {"vncviewer", boolean, Fate::accepted, nullptr, &display},
    {"vnuma", lists, Fate::refused, nullptr, &numa},
    {"vpmu", boolean, Fate::refused, nullptr, &arm_only, "0,"},
    {"vpt_align", boolean, Fate::accepted, nullptr, &emulated},
    {"vsnd", lists, Fate::device, set_vsnd, &media},
    {"vtpm", list, Fate::device, set_devices<parse_vtpm, &Devices::vtpms>, &vtpm},
    {"vuart", text, Fate::refused, nullptr, &arm_only, "unknown,"},
    {"xauthority", text, Fate::accepted, nullptr, &display},
    {"xen_platform_pci", boolean, Fate::accepted, nullptr, &emulated},
    {"xen_platform_pci_bar_uc", boolean, Fate::accepted, nullptr, &emulated},
    {"xend_suspend_evtchn_compat", boolean, Fate::accepted, nullptr, &migration},
    {"xenstore_feature_mask", any_number, Fate::refused, nullptr, &xenstore},
    {"xenstore_quota", list, Fate::refused, nullptr, &xenstore},
    // clang-format on
};

static_assert(std::size(table) == key_count);
static_assert(std::is_sorted(std::begin(table), std::end(table),
                             [](const Key& a, const Key& b) { return a.name < b.name; }));
// What is not honoured has a reason, what is honoured has a handler.
static_assert(std::all_of(std::begin(table), std::end(table), [](const Key& key) {
  const bool honoured = key.fate == Fate::honoured;
  return honoured == (key.reason == nullptr) && (!honoured || key.handler != nullptr);
}));

}  // namespace

std::span<const Key, key_count> keys() {
  return table;
}

std::optional<std::size_t> find_key(std::string_view name) {
  const auto at = std::lower_bound(std::begin(table), std::end(table), name,
                                   [](const Key& key, std::string_view n) { return key.name < n; });
  if (at == std::end(table) || at->name != name) return std::nullopt;
  return static_cast<std::size_t>(at - std::begin(table));
}

std::string_view nearest_key(std::string_view name) {
  return nearest(name, table, [](const Key& key) { return key.name; });
}

}  // namespace xl::config
