// SPDX-License-Identifier: Apache-2.0
// Disks, rates and PCI devices against the parsers of the real xl (libxlutil of libxen-dev), and
// the JSON against libxl's: random and listed specifications, the same texts taken, the same
// fields.
#include <gtest/gtest.h>

extern "C" {
#define HAVE_YAJL_YAJL_VERSION_H 1
#define HAVE_YAJL_V2 1
#include <libxlutil.h>
// Behind the one that it needs.
#include <libxl_json.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/libxl_json.hpp"
#include "libxl++/config/devices/rate.hpp"

// Xen 4.17's xlu_pci_parse_spec_string keeps a copy of what it refuses.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __lsan_default_suppressions() {
  return "leak:xlu_pci_parse_spec_string\n";
}

namespace xl::config {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

template <typename Device>
struct Owned {
  Owned(void (*init)(Device*), void (*dispose)(Device*)) : dispose_(dispose) { init(&device); }
  ~Owned() { dispose_(&device); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  Json json(yajl_gen_status (*generate)(yajl_gen, Device*)) {
    const std::unique_ptr<yajl_gen_t, decltype(&yajl_gen_free)> gen(yajl_gen_alloc(nullptr),
                                                                    yajl_gen_free);
    generate(gen.get(), &device);
    const unsigned char* text = nullptr;
    std::size_t length = 0;
    yajl_gen_get_buf(gen.get(), &text, &length);
    return Json::parse(text, text + length);
  }

  Device device;

 private:
  void (*dispose_)(Device*);
};

class Libxlutil {
 public:
  std::optional<Json> disk(const Words& words) {
    Owned<libxl_device_disk> disk(libxl_device_disk_init, libxl_device_disk_dispose);
    std::vector<const char*> specs;
    for (const std::string& word : words) specs.push_back(word.c_str());
    if (xlu_disk_parse(config_.get(), static_cast<int>(specs.size()), specs.data(), &disk.device)) {
      return {};
    }
    return disk.json(libxl_device_disk_gen_json);
  }

  std::optional<Json> pci(const std::string& text) {
    Owned<libxl_device_pci> pci(libxl_device_pci_init, libxl_device_pci_dispose);
    if (xlu_pci_parse_spec_string(config_.get(), &pci.device, text.c_str()) != 0) return {};
    return pci.json(libxl_device_pci_gen_json);
  }

  std::optional<VifRate> rate(const std::string& text) {
    Owned<libxl_device_nic> nic(libxl_device_nic_init, libxl_device_nic_dispose);
    errno = 0;  // libxlutil takes an old ERANGE for its own
    if (xlu_vif_parse_rate(config_.get(), text.c_str(), &nic.device) != 0) return {};
    return VifRate{nic.device.rate_bytes_per_interval, nic.device.rate_interval_usecs};
  }

 private:
  std::unique_ptr<std::FILE, decltype(&std::fclose)> report_{std::fopen("/dev/null", "w"),
                                                             std::fclose};
  std::unique_ptr<XLU_Config, decltype(&xlu_cfg_destroy)> config_{
      xlu_cfg_init(report_.get(), "peer"), xlu_cfg_destroy};
};

std::string show(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += "[" + word + "]";
  return text;
}

std::string show(const ParsedSpec<Disk>& parsed) {
  std::string text;
  for (const SpecFinding& finding : parsed.findings) text += finding.message + "\n";
  return text;
}

// Texts that are given but empty are left out here, and libxl says them.
Json without_empty_texts(const Json& json) {
  Json kept = Json::object();
  for (const auto& [member, value] : json.items()) {
    if (member == "pdev_path" || value != "") kept[member] = value;
  }
  return kept;
}

// Whether both took it.
bool compare_disk(Libxlutil& libxlutil, const Words& words) {
  const ParsedSpec<Disk> ours = parse_disk(words);
  const std::optional<Json> theirs = libxlutil.disk(words);
  // That a vdev is one libxl looks at later, when it attaches the disk.
  const bool usable = theirs && parse_vdev(theirs->value("vdev", ""));
  EXPECT_EQ(usable, ours.value.has_value()) << show(words) << "\n" << show(ours);
  if (usable && ours.value) {
    EXPECT_EQ(without_empty_texts(*theirs).dump(4), to_libxl_json(*ours.value).dump(4))
        << show(words);
  }
  return usable && ours.value;
}

constexpr std::array disk_pieces = {
    "/dev/vg/x",
    "x",
    "",
    ",",
    ",",
    ",",
    ",",
    ",",
    ",",
    ",",
    " ",
    "\t",
    "raw",
    "qcow",
    "qcow2",
    "vhd",
    "qed",
    "empty",
    "xvda",
    "hdc",
    "sdb3",
    "d3p1",
    "0x301",
    "xvd",
    "rw",
    "w",
    "ro",
    "r",
    "cdrom",
    "devtype=cdrom",
    "disk",
    "devtype=disk",
    "devtype=floppy",
    ":cdrom",
    ":",
    "raw:",
    "phy:",
    "file:",
    "tap:",
    "aio:",
    "qcow2:",
    "nbd:",
    "qed:",
    "format=qcow2",
    "format=",
    "vdev=xvdb",
    "vdev=",
    "access=ro",
    "access=w",
    "access=",
    "access=x",
    "target=",
    "target=/y",
    "backend=d",
    "backend=",
    "backendtype=phy",
    "backendtype=tap",
    "backendtype=",
    "script=s",
    "script=",
    "direct-io-safe",
    "discard",
    "no-discard",
    "colo",
    "no-colo",
    "colo-host=h",
    "colo-port=7,",
    "colo-port=0,",
    "colo-export=e",
    "active-disk=a",
    "hidden-disk=b",
    "specification=virtio",
    "specification=xen",
    "specification=q",
    "transport=mmio",
    "foo=b",
    "=",
    "removable",
};

constexpr std::array disk_starts = {"", "", "/x,,xvda", "/x,raw,xvda,w", "vdev=hda", "/x,qcow2,"};

TEST(DevicePeer, LibxlutilTakesTheSameDisksWithTheSameFields) {
  Libxlutil libxlutil;
  std::mt19937 random(2026);
  int taken = 0;
  for (int i = 0; i < 200000; ++i) {
    Words words{disk_starts[random() % disk_starts.size()]};
    for (auto left = 1 + random() % 9; left > 0; --left) {
      words.back() += disk_pieces[random() % disk_pieces.size()];
      if (random() % 3 == 0) words.back() += ",";
      if (random() % 40 == 0) words.emplace_back();
    }
    // libxlutil overlooks a '=' at the very end.
    const auto stray = [](const std::string& word) { return word.ends_with('='); };
    if (std::any_of(words.begin(), words.end(), stray)) continue;
    taken += compare_disk(libxlutil, words) ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(taken, 3000);  // else the comparison says little
}

TEST(DevicePeer, LibxlutilTakesTheManualsDisks) {
  Libxlutil libxlutil;
  for (const char* spec :
       {"/dev/vg/guest-volume,,hda", "/dev/vg/guest-volume,raw,hda,rw",
        "format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
        "raw:/dev/vg/guest-volume,hda,w", "/root/image.iso,,hdc,cdrom",
        "/root/image.iso,,hdc,,cdrom", "/root/image.iso,raw,hdc,devtype=cdrom",
        "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso",
        "raw:/root/image.iso,hdc:cdrom,ro", ",hdc:cdrom,r",
        "vdev=hdc,access=r,devtype=cdrom,target=", "tap:aio:qcow2:/x,xvda,w",
        "iscsi:iqn.2001-05.com.example:0-8a0,xvda,w", "backendtype=phy,vdev=xvdb,target=/a,b c "}) {
    EXPECT_TRUE(compare_disk(libxlutil, {spec})) << spec;
  }
}

constexpr std::array rate_pieces = {"0",       "1",   "10", "250", "18446744073709551615",
                                    "4294967", "G",   "M",  "K",   "k",
                                    "B/s",     "b/s", "B",  "/s",  "@",
                                    "ms",      "us",  "s",  "m",   "u",
                                    " ",       "."};
constexpr std::array rate_starts = {"", "10Mb/s", "250KB/s@", "1GB/s@50ms", "7"};

TEST(DevicePeer, LibxlutilTakesTheSameRates) {
  Libxlutil libxlutil;
  std::mt19937 random(2026);
  int taken = 0;
  for (int i = 0; i < 30000; ++i) {
    std::string text = rate_starts[random() % rate_starts.size()];
    for (auto left = random() % 5; left > 0; --left) {
      text += rate_pieces[random() % rate_pieces.size()];
    }
    // To libxlutil a number with a leading 0 is octal, and an 8 is no part of it.
    if (text.starts_with("0") || text.find("@0") != text.npos) continue;
    SpecFindings findings;
    const std::optional<VifRate> ours = parse_vif_rate(Piece::whole(text, 0), findings);
    ASSERT_EQ(libxlutil.rate(text), ours) << text;
    ASSERT_NE(ours.has_value(), findings.has_errors()) << text;
    taken += ours ? 1 : 0;
  }
  EXPECT_GT(taken, 1000);
}

// Addresses as a whole: on some that end too early libxlutil crashes.
constexpr std::array pci_starts = {
    "36:00.0", "0000:36:1f.*", "ffff:1:2.7", "1:2.*",      "36:20.0", "36:00.8",  "12345:1:2.3",
    "100:1.1", "0:0.0",        "bdf=1:2.3,", "bdf=1:1.*,", "name=n,", "seize=1,", ""};
constexpr std::array pci_pieces = {"@1f",
                                   "@20",
                                   "@0",
                                   ",",
                                   ",",
                                   ",",
                                   "seize=1,",
                                   "seize=0,",
                                   "permissive=1,",
                                   "msitranslate=1,",
                                   "power_mgmt=1,",
                                   "rdm_policy=strict",
                                   "rdm_policy=relaxed",
                                   "rdm_policy=x",
                                   "vslot=3",
                                   "vslot=1f",
                                   "vslot=20",
                                   "bdf=1:2.3",
                                   "name=x,",
                                   "foo=1,"};

bool complains_of_rest(const std::vector<SpecFinding>& findings, const std::string& text) {
  const bool key = text.find("bdf=") != text.npos;
  return std::any_of(findings.begin(), findings.end(), [key](const SpecFinding& finding) {
    const std::string& message = finding.message;
    return message.ends_with("is not a number") || message.ends_with("is not a slot") ||
           (key && message.ends_with("is not a PCI address"));
  });
}

TEST(DevicePeer, LibxlutilTakesTheSamePciDevices) {
  Libxlutil libxlutil;
  std::mt19937 random(2026);
  int taken = 0;
  for (int i = 0; i < 100000; ++i) {
    std::string text = pci_starts[random() % pci_starts.size()];
    for (auto left = random() % 7; left > 0; --left) {
      text += pci_pieces[random() % pci_pieces.size()];
      if (random() % 3 == 0) text += ",";
    }
    // To libxlutil an empty item is part of the next one's name.
    if (text.starts_with(",") || text.find(",,") != text.npos) continue;
    const ParsedSpec<Pci> ours = parse_pci(text);
    const std::optional<Json> theirs = libxlutil.pci(text);
    // Of a number, and behind bdf=, libxlutil reads what it can, and overlooks the rest.
    if (theirs && !ours.value && complains_of_rest(ours.findings, text)) continue;
    ASSERT_EQ(theirs.has_value(), ours.value.has_value()) << text;
    if (!theirs) continue;
    ASSERT_EQ(theirs->dump(4), to_libxl_json(*ours.value).dump(4)) << text;
    ++taken;
  }
  EXPECT_GT(taken, 3000);
}

}  // namespace
}  // namespace xl::config
