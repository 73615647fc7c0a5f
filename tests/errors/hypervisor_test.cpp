// SPDX-License-Identifier: Apache-2.0
// The hypervisor: its start, its end, and what it answers.
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/translation.hpp"
#include "hypervisor-iface/bundled/wire.hpp"
#include "hypervisor-iface/xen_loader.hpp"
#include "tests/errors/goldens.hpp"
#include "tests/hypervisor-iface/bundled_fixture.hpp"
#include "tests/hypervisor-iface/hypervisor_end.hpp"

namespace xl::hv::bundled {
namespace {

using namespace std::chrono_literals;
using errors::Goldens;

class ErrorTextsOfTheHypervisor : public testing::Test {
 protected:
  // What stands in for QEMU.
  std::string program(const std::string& script) const {
    const std::string path = directory_.path() + "/qemu";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
    return path;
  }
  Options options(const std::string& script) const {
    Options options = test_options(directory_.path());
    options.qemu = program(script);
    options.hypervisor_image = options.qemu;  // any file
    return options;
  }
  void hide_paths(Goldens& golden) const {
    golden.hide(directory_.path(), "DIR");
    golden.hide(std::filesystem::read_symlink("/proc/self/exe").parent_path().string(), "HERE");
  }

  TemporaryDir directory_;
};

TEST_F(ErrorTextsOfTheHypervisor, BeforeItsStart) {
  Goldens golden("hypervisor-missing");
  hide_paths(golden);
  golden.add("XL_QEMU names nothing", find_qemu(directory_.path() + "/none"));
  const std::string path = std::getenv("PATH");
  ::unsetenv("XL_QEMU");
  ::setenv("PATH", directory_.path().c_str(), 1);
  golden.add("no QEMU in PATH", find_qemu(""));
  ::setenv("PATH", path.c_str(), 1);
  golden.add("XL_HYPERVISOR names nothing", find_hypervisor_image(directory_.path() + "/none"));
  Options machine = options("exit 0");
  machine.memory = mib(31);
  golden.add("31 MiB", machine_of(machine));
  machine.memory = mib(64);
  machine.cpus = 99;
  golden.add("99 CPUs", machine_of(machine));
}

TEST_F(ErrorTextsOfTheHypervisor, AStartThatFails) {
  Goldens golden("hypervisor-start");
  hide_paths(golden);
  golden.add("QEMU ends at once",
             BundledHypervisor::start(options("echo 'qemu: no SVM' >&2\nexit 3")));
  Options slow = options("exec sleep 1000");
  slow.start_timeout = 50ms;
  golden.add("QEMU hangs", BundledHypervisor::start(slow));

  HypervisorEnd end;
  golden.add("what is no hypervisor of ours", check_version(end.area()));
  abi::Header header{};
  header.magic = abi::magic;
  header.version = abi::version + 1;
  std::memcpy(end.memory(), &header, sizeof header);
  golden.hide(std::to_string(abi::version + 1), "N+1");
  golden.hide("this program's " + std::to_string(abi::version), "this program's N");
  golden.add("another version", check_version(end.area()));
}

TEST_F(ErrorTextsOfTheHypervisor, ADirectoryThatAnotherUses) {
  Goldens golden("hypervisor-directory");
  hide_paths(golden);
  const auto first = lock_runtime_dir(directory_.path());
  ASSERT_TRUE(first);
  golden.add("another daemon", lock_runtime_dir(directory_.path()));
  const auto running = lock_running(directory_.path());
  ASSERT_TRUE(running);
  golden.add("a process that holds the lock", lock_running(directory_.path()));
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0777), 0);
  golden.add("others may write", prepare_runtime_dir(directory_.path()));
  golden.add("no such directory", prepare_runtime_dir(directory_.path() + "/a/b"));
}

TEST_F(ErrorTextsOfTheHypervisor, Silence) {
  Goldens golden("hypervisor-silent");
  HypervisorEnd end;
  const Doorbell doorbell(end.take_host_socket());
  RingClient ring(end.area(), doorbell, {.spin = 0us, .timeout = 20ms}, [](const Request&) {});
  golden.add("no answer", ring.call({}));
  golden.add("still none", ring.call({}));
  ring.set_gone("the hypervisor's process has ended (signal 9)");
  golden.add("it died", ring.call({}));
  const std::vector<std::byte> bytes(abi::bulk_size + 1);
  Request request;
  request.bulk = bytes;
  golden.add("a request that is too long", ring.call(request));
}

TEST_F(ErrorTextsOfTheHypervisor, WithoutXen) {
  if (runs_on_xen_dom0()) {
    GTEST_SKIP() << "there is a Xen";
  }
  Goldens golden("xen");
  hide_paths(golden);
  golden.add("no domain 0", open_xen());
  golden.add("no module", open_xen(directory_.path() + "/none"));
}

TEST(ErrorTexts, AnswersOfTheHypervisor) {
  Goldens golden("hypervisor-answers");
  for (const int number : {ENOENT, EINVAL, ENOMEM, ENOSPC, EBUSY, EPERM, ENOSYS, EEXIST, EIO}) {
    golden.add(fmt::format("status {} of a domain's call", -number),
               error_of(abi::Op::set_vcpu_context, DomId(3), -number));
  }
  golden.add("no such domain", error_of(abi::Op::pause, DomId(3), -ESRCH));
  golden.add("a status of none", error_of(abi::Op::ping, DomId(0), 77));

  const std::shared_ptr<Ram> ram = Ram::create(mib(64)).value();
  const auto translated = [&](const std::vector<abi::ExtentRecord>& records, std::uint64_t pages) {
    std::vector<MappedSegment> segments;
    return append_segments(*ram, Gfn(100), Pages(pages), records, segments);
  };
  golden.add("frames that are no RAM", translated({{100, 16383, 3}}, 3));
  golden.add("a translation with a gap", translated({{100, 5000, 2}}, 3));
  golden.add("frames to give back that are no RAM", ram->release(Mfn(~0ULL >> 12), Pages(1)));
}

}  // namespace
}  // namespace xl::hv::bundled
