// SPDX-License-Identifier: Apache-2.0
// The tree of a domain as `xenstore-ls -fp` shows it, held to what libxl 4.17 writes for a PVH
// domain.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

constexpr const char* golden = R"(/libxl/5 = "" (n0)
/libxl/5/device = "" (n0)
/libxl/5/device/console/0 = "" (n0)
/libxl/5/device/console/0/backend = "/local/domain/0/backend/console/5/0" (n0)
/libxl/5/device/console/0/frontend = "/local/domain/5/console" (n0)
/libxl/5/device/console/0/frontend-id = "5" (n0)
/libxl/5/device/console/0/online = "1" (n0)
/libxl/5/device/console/0/protocol = "vt100" (n0)
/libxl/5/device/console/0/state = "1" (n0)
/libxl/5/dm-version = "qemu_xen" (n0)
/libxl/5/type = "pvh" (n0)
/local/domain/0/backend/console/5/0 = "" (n0,r5)
/local/domain/0/backend/console/5/0/frontend = "/local/domain/5/console" (n0,r5)
/local/domain/0/backend/console/5/0/frontend-id = "5" (n0,r5)
/local/domain/0/backend/console/5/0/online = "1" (n0,r5)
/local/domain/0/backend/console/5/0/protocol = "vt100" (n0,r5)
/local/domain/0/backend/console/5/0/state = "1" (n0,r5)
/local/domain/5 = "" (n0,r5)
/local/domain/5/attr = "" (n5)
/local/domain/5/console = "" (n0,r5)
/local/domain/5/console/backend = "/local/domain/0/backend/console/5/0" (n0,r5)
/local/domain/5/console/backend-id = "0" (n5,r0)
/local/domain/5/console/limit = "1048576" (n0,r5)
/local/domain/5/console/output = "pty" (n0,r5)
/local/domain/5/console/port = "2" (n0,r5)
/local/domain/5/console/ring-ref = "1044479" (n0,r5)
/local/domain/5/console/tty = "" (n0,r5)
/local/domain/5/console/type = "xenconsoled" (n0,r5)
/local/domain/5/control = "" (n0,r5)
/local/domain/5/control/feature-poweroff = "" (n5)
/local/domain/5/control/feature-reboot = "" (n5)
/local/domain/5/control/feature-suspend = "" (n5)
/local/domain/5/control/platform-feature-multiprocessor-suspend = "1" (n0,r5)
/local/domain/5/control/platform-feature-xs_reset_watches = "1" (n0,r5)
/local/domain/5/control/shutdown = "" (n5)
/local/domain/5/control/sysrq = "" (n5)
/local/domain/5/cpu = "" (n0,r5)
/local/domain/5/cpu/0/availability = "online" (n0,r5)
/local/domain/5/cpu/1/availability = "offline" (n0,r5)
/local/domain/5/data = "" (n5)
/local/domain/5/device = "" (n0,r5)
/local/domain/5/device/suspend/event-channel = "" (n5)
/local/domain/5/domid = "5" (n0,r5)
/local/domain/5/drivers = "" (n5)
/local/domain/5/error = "" (n5)
/local/domain/5/feature = "" (n5)
/local/domain/5/memory = "" (n0,r5)
/local/domain/5/memory/static-max = "262144" (n0,r5)
/local/domain/5/memory/target = "131072" (n0,r5)
/local/domain/5/memory/videoram = "0" (n0,r5)
/local/domain/5/name = "guest" (n0,r5)
/local/domain/5/store/port = "1" (n0,r5)
/local/domain/5/store/ring-ref = "1044476" (n0,r5)
/local/domain/5/vm = "/vm/0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01" (n0,r5)
/vm/0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01 = "" (n0,r5)
/vm/0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01/name = "guest" (n0,r5)
/vm/0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01/start_time = "1234567890.12" (n0,r5)
/vm/0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01/uuid = "0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01" (n0,r5)
)";

// The nodes that were asked for; what lies between them is as their parents are.
std::string show(const std::vector<xenstore::NodeSpec>& nodes) {
  std::map<std::string, xenstore::PermissionsRef> permissions;
  std::map<std::string, std::string> lines;
  for (const auto& node : nodes) {
    xenstore::PermissionsRef own = node.permissions;
    for (std::string_view at = node.path; own == nullptr && at != "/";) {
      at = xenstore::parent_of(at);
      const auto found = permissions.find(std::string(at));
      own = found == permissions.end() ? nullptr : found->second;
    }
    permissions[node.path] = own;
    std::string text;
    for (const auto& permission : *own) {
      text += (text.empty() ? "" : ",") + to_string(permission);
    }
    lines[node.path] = node.path + " = \"" + node.value + "\" (" + text + ")\n";
  }
  std::string all;
  for (const auto& line : lines) {
    all += line.second;
  }
  return all;
}

TEST(Tree, IsWhatLibxlWrites) {
  config::DomainConfig config;
  config.name = "guest";
  config.memory = mib(128);
  config.max_memory = mib(256);
  config.vcpus = 1;
  config.max_vcpus = 2;
  const auto uuid = config::Uuid::parse("0b0d1fd2-3a55-4c3e-9a6c-5dbd3a4a6c01");
  ASSERT_TRUE(uuid);
  const std::chrono::system_clock::time_point created{std::chrono::milliseconds(1234567890123)};
  EXPECT_EQ(show(domain_nodes({DomId(5),
                               *uuid,
                               config,
                               {Gfn(0xfeffc), EventPort(1)},
                               {Gfn(0xfefff), EventPort(2)},
                               created})),
            golden);
}

}  // namespace
}  // namespace xl::toolstack
