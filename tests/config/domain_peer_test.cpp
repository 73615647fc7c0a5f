// SPDX-License-Identifier: Apache-2.0
// `xl -N create` against the real libxl: its libxl_domain_config, filled in as xl's parser does it,
// and what its generator makes of that as JSON.
#include <gtest/gtest.h>

extern "C" {
#define HAVE_YAJL_YAJL_VERSION_H 1
#define HAVE_YAJL_V2 1
#include <libxlutil.h>
// Behind the one that it needs.
#include <libxl_json.h>
#include <libxl_utils.h>
}

#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

class LibxlConfig {
 public:
  LibxlConfig() {
    libxl_domain_config_init(&config);
    config.c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PVH);
    libxl_defbool_set(&config.c_info.run_hotplug_scripts, true);
    libxl_defbool_set(&config.b_info.claim_mode, true);
    config.on_reboot = LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    config.on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET;
  }
  ~LibxlConfig() { libxl_domain_config_dispose(&config); }
  LibxlConfig(const LibxlConfig&) = delete;
  LibxlConfig& operator=(const LibxlConfig&) = delete;

  void memory(std::uint64_t kib, std::uint64_t max_kib) {
    config.b_info.target_memkb = kib;
    config.b_info.max_memkb = max_kib;
  }

  void vcpus(int count, int max) {
    libxl_bitmap& online = config.b_info.avail_vcpus;
    online.size = 1;
    online.map = static_cast<std::uint8_t*>(std::calloc(1, 1));
    for (int i = 0; i < count; ++i) libxl_bitmap_set(&online, i);
    config.b_info.max_vcpus = max;
  }

  std::string json() {
    const std::unique_ptr<yajl_gen_t, decltype(&yajl_gen_free)> gen(yajl_gen_alloc(nullptr),
                                                                    yajl_gen_free);
    libxl_domain_config_gen_json(gen.get(), &config);
    const unsigned char* text = nullptr;
    std::size_t length = 0;
    yajl_gen_get_buf(gen.get(), &text, &length);
    return nlohmann::ordered_json::parse(text, text + length).dump(1);
  }

  libxl_domain_config config;
};

std::string here(std::string_view text) {
  const Parsed parsed = parse_domain_config({"peer.cfg", text}, {}, {.dry_run = true});
  EXPECT_TRUE(parsed.config) << render(parsed.diagnostics);
  return parsed.config ? to_libxl_json(*parsed.config, *parsed.devices).dump(1) : "";
}

TEST(DomainPeer, TheLeast) {
  LibxlConfig theirs;
  theirs.config.c_info.name = strdup("a");
  theirs.config.b_info.kernel = strdup("/k");
  theirs.memory(32 << 10, 32 << 10);
  theirs.vcpus(1, 1);
  EXPECT_EQ(here("name='a'; kernel='/k'"), theirs.json());
}

TEST(DomainPeer, AllThatIsHonoured) {
  LibxlConfig theirs;
  libxl_domain_build_info& build = theirs.config.b_info;
  theirs.config.c_info.name = strdup("a");
  libxl_uuid_from_string(&theirs.config.c_info.uuid, "01234567-89ab-cdef-0123-456789abcdef");
  build.kernel = strdup("/k");
  build.ramdisk = strdup("/r");
  build.cmdline = strdup("root=/dev/xvda ro \"quoted\"");
  theirs.memory(512 << 10, 1024 << 10);
  theirs.vcpus(2, 4);
  build.sched_params.weight = 512;
  build.sched_params.cap = 50;
  libxl_defbool_set(&build.acpi, false);
  theirs.config.on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
  theirs.config.on_reboot = LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME;
  theirs.config.on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY;
  theirs.config.on_crash = LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART;
  theirs.config.on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
  EXPECT_EQ(here(R"(name='a'; uuid="0123456789abcdef0123456789abcdef"; kernel='/k'; ramdisk='/r'
root="/dev/xvda"; extra='ro "quoted"'; memory=512; maxmem=1024; vcpus=2; maxvcpus=4
cpu_weight=512; cap=50; acpi=0; on_poweroff="preserve"; on_reboot="rename-restart"
on_watchdog="coredump-destroy"; on_crash="coredump-restart"; on_soft_reset="destroy")"),
            theirs.json());
}

TEST(DomainPeer, Affinity) {
  LibxlConfig theirs;
  libxl_domain_build_info& build = theirs.config.b_info;
  theirs.config.c_info.name = strdup("a");
  build.kernel = strdup("/k");
  theirs.memory(32 << 10, 32 << 10);
  theirs.vcpus(2, 2);
  build.num_vcpu_hard_affinity = 2;
  build.vcpu_hard_affinity = static_cast<libxl_bitmap*>(std::calloc(2, sizeof(libxl_bitmap)));
  for (int i = 0; i < 2; ++i) {
    libxl_bitmap& set = build.vcpu_hard_affinity[i];
    set.size = 1;
    set.map = static_cast<std::uint8_t*>(std::calloc(1, 1));
    libxl_bitmap_set(&set, 1);
    libxl_bitmap_set(&set, 3);
  }
  EXPECT_EQ(here("name='a'; kernel='/k'; vcpus=2; cpus='1,3'"), theirs.json());
}

TEST(DomainPeer, Devices) {
  LibxlConfig theirs;
  theirs.config.c_info.name = strdup("a");
  theirs.config.b_info.kernel = strdup("/k");
  theirs.memory(32 << 10, 32 << 10);
  theirs.vcpus(1, 1);
  theirs.config.num_disks = 1;
  theirs.config.disks = static_cast<libxl_device_disk*>(std::calloc(1, sizeof(libxl_device_disk)));
  libxl_device_disk_init(&theirs.config.disks[0]);
  theirs.config.disks[0].pdev_path = strdup("/dev/x");
  theirs.config.disks[0].vdev = strdup("xvda");
  theirs.config.disks[0].format = LIBXL_DISK_FORMAT_RAW;
  theirs.config.disks[0].readwrite = 1;
  theirs.config.num_nics = 2;
  theirs.config.nics = static_cast<libxl_device_nic*>(std::calloc(2, sizeof(libxl_device_nic)));
  for (int i = 0; i < 2; ++i) {
    libxl_device_nic_init(&theirs.config.nics[i]);
    theirs.config.nics[i].devid = i;
  }
  theirs.config.nics[1].bridge = strdup("xenbr0");
  EXPECT_EQ(here("name='a'; kernel='/k'; disk=['/dev/x,,xvda']; vif=['', 'bridge=xenbr0']"),
            theirs.json());
}

// One device of a kind, with nothing in it.
template <typename Device>
void add(Device*& devices, int& count, void (*init)(Device*)) {
  devices = static_cast<Device*>(std::calloc(1, sizeof(Device)));
  init(devices);
  count = 1;
}

std::vector<std::string> members(const std::string& text) {
  std::vector<std::string> names;
  const auto json = nlohmann::ordered_json::parse(text);
  for (const auto& [name, value] : json.items()) {
    names.push_back(name);
  }
  return names;
}

TEST(DomainPeer, KindsOfDevicesStandInLibxlsOrder) {
  LibxlConfig theirs;
  libxl_domain_config& config = theirs.config;
  add(config.disks, config.num_disks, libxl_device_disk_init);
  add(config.nics, config.num_nics, libxl_device_nic_init);
  add(config.pcidevs, config.num_pcidevs, libxl_device_pci_init);
  add(config.vfbs, config.num_vfbs, libxl_device_vfb_init);
  add(config.vkbs, config.num_vkbs, libxl_device_vkb_init);
  add(config.vtpms, config.num_vtpms, libxl_device_vtpm_init);
  add(config.p9s, config.num_p9s, libxl_device_p9_init);
  add(config.pvcallsifs, config.num_pvcallsifs, libxl_device_pvcallsif_init);
  add(config.vdispls, config.num_vdispls, libxl_device_vdispl_init);
  add(config.channels, config.num_channels, libxl_device_channel_init);
  add(config.usbctrls, config.num_usbctrls, libxl_device_usbctrl_init);
  add(config.usbdevs, config.num_usbdevs, libxl_device_usbdev_init);
  EXPECT_EQ(members(here(R"(name='a'; kernel='/k'; disk=['/dev/x,,xvda']; vif=['']
pci=['01:00.0']; vfb=['vnc=1']; vkb=['backend-type=linux,unique-id=k']; vtpm=['backend=d']
p9=['tag=t,security_model=none,path=/p']; pvcalls=['backend=d']; vdispl=['connectors=0:1x1']
channel=['name=c,connection=pty']; usbctrl=['version=2']; usbdev=['hostbus=1,hostaddr=2'])")),
            members(theirs.json()));
}

}  // namespace
}  // namespace xl::config
