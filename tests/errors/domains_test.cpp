// SPDX-License-Identifier: Apache-2.0
// Domains: what they refuse, and how they end. Those that xl itself can be brought to are in
// tests/xl/golden/errors.txt.
#include <cstdint>

// The ABI's headers need the types from there.
#include <xen/hvm/params.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "libxl++/config/devices/mac.hpp"
#include "libxl++/config/devices/pci.hpp"
#include "libxl++/config/devices/vdev.hpp"
#include "libxl++/config/host_config.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/rules.hpp"
#include "libxl++/console/ring_console.hpp"
#include "libxl++/toolstack/scheduling.hpp"
#include "libxl++/xenstore/message_reader.hpp"
#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"
#include "tests/errors/goldens.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using errors::Goldens;
using fixture::ToolstackTest;
using Kind = LifecycleEvent::Kind;

class ErrorTextsOfDomains : public ToolstackTest {
 protected:
  config::DomainConfig two_vcpus() const {
    config::DomainConfig wide = config();
    wide.vcpus = 1;
    wide.max_vcpus = 2;
    return wide;
  }
  // Its driver for vcpus comes up, as far as domain 0 can tell.
  void watch_availability(DomId id) {
    const GuestPhys page = to_phys(Gfn(*fake().get_hvm_param(id, HVM_PARAM_STORE_PFN)));
    const std::string bytes = xenstore::encode(XS_WATCH, 0, 0, "cpu\0token\0"s);
    const auto produced = static_cast<std::uint32_t>(bytes.size());
    ASSERT_TRUE(fake().guest_write(id, page, std::as_bytes(std::span(bytes))));
    const GuestPhys index = page + Bytes(offsetof(xenstore_domain_interface, req_prod));
    ASSERT_TRUE(fake().guest_write(id, index, std::as_bytes(std::span(&produced, 1))));
    ASSERT_TRUE(fake().guest_notify(id, guest_port(id, HVM_PARAM_STORE_EVTCHN)));
  }
  void hide_directory(Goldens& golden) const { golden.hide(directory(), "DIR"); }
};

TEST_F(ErrorTextsOfDomains, Requests) {
  Goldens golden("requests");
  const DomId id = create(two_vcpus());
  Toolstack& xl = toolstack();
  golden.add("a deaf guest", xl.request_shutdown(id, {.timeout = 30ms}, {}));
  golden.add("a deaf guest's SysRq", xl.send_sysrq(id, 'h', 30ms, {}));
  golden.add("no letter", xl.send_sysrq(id, '\n', 30ms, {}));
  golden.add("vcpus, without a driver",
             xl.set_vcpus(id, {.vcpus = 2, .ignore_host = true, .timeout = 30ms}, {}));
  golden.add("a trigger for a vcpu that is off", xl.send_trigger(id, "nmi", VcpuId(1)));
  golden.add("a weight of 0", xl.set_share(id, 0, {}));
  golden.add("a cap that its vcpus cannot reach", xl.set_share(id, {}, 201));
  golden.add("a cap of 99999", xl.set_share(id, {}, 99999));
  golden.add("memory beyond the host's", xl.set_memory(id, mib(1 << 20)));
  std::stop_source source;
  source.request_stop();
  golden.add("a request that is called off",
             xl.request_shutdown(id, {.timeout = 20s}, source.get_token()));
  golden.add("vcpus that are called off",
             xl.set_vcpus(id, {.vcpus = 2, .ignore_host = true}, source.get_token()));
  golden.add("a create that is called off", xl.create_domain(config("b"), {}, source.get_token()));
  ASSERT_TRUE(xl.pause(id));
  golden.add("a paused guest", xl.request_shutdown(id, {}, {}));
  ASSERT_TRUE(xl.unpause(id));
}

TEST_F(ErrorTextsOfDomains, Vcpus) {
  Goldens golden("vcpus");
  const DomId id = create(two_vcpus());
  {
    // Later ones come until one has overtaken the first.
    std::jthread later([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        (void)toolstack().set_vcpus(id, {.vcpus = 2, .ignore_host = true, .timeout = 1ms}, {});
      }
    });
    golden.add("a later request",
               toolstack().set_vcpus(id, {.vcpus = 2, .ignore_host = true, .timeout = 20s}, {}));
  }
  watch_availability(id);
  const auto ask = [&] {
    return toolstack().set_vcpus(id, {.vcpus = 2, .ignore_host = true, .timeout = 30ms}, {});
  };
  Result<VcpuState> asked = ask();
  while (!asked && id_of(asked.error()) == ErrorId::guest_no_answer) {
    asked = ask();  // the watch is on its way
  }
  golden.add("a guest that does not follow", asked);
}

TEST_F(ErrorTextsOfDomains, ThatHaveEnded) {
  Goldens golden("ended");
  config::DomainConfig stays = config();
  stays.on_poweroff = config::ShutdownAction::preserve;
  const DomId id = create(stays);
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::poweroff));
  ASSERT_TRUE(wait_for(Kind::shutdown, id));
  golden.add("a request", toolstack().request_shutdown(id, {}, {}));
  golden.add("a trigger", toolstack().send_trigger(id, "nmi", VcpuId(0)));
  ASSERT_TRUE(toolstack().destroy(id));
  golden.add("its console", toolstack().write_console(id, {}));
  golden.add("its summary", toolstack().summary(DomId(99)));
  golden.add("by name", toolstack().find("gest"));
  create("guest");
  golden.add("by a name that is nearly right", toolstack().find("gest"));
}

TEST_F(ErrorTextsOfDomains, Consoles) {
  Goldens golden("consoles");
  std::vector<std::byte> page(page_size);
  console::RingConsole console(hv::GuestMapping({{Gfn(1), std::span(page)}}, nullptr),
                               {directory() + "/history", directory() + "/log", 1000});
  ASSERT_TRUE(console.write(std::vector<std::byte>(1000)));
  golden.add("one that nobody reads", console.write(std::vector<std::byte>(1 << 20)));
  console.end();
  golden.add("one that has ended", console.write({}));
}

TEST_F(ErrorTextsOfDomains, CoreFiles) {
  Goldens golden("core-files");
  config::DomainConfig dumped = config("dumped");
  dumped.on_crash = config::ShutdownAction::coredump_destroy;
  const DomId crashed = create(dumped);
  ASSERT_TRUE(fake().guest_shutdown(crashed, hv::ShutdownReason::crash));
  const auto event = wait_for(Kind::coredump, crashed);
  ASSERT_TRUE(event);
  golden.add("nowhere to write them", std::get<std::string>(event->details.at(0).value),
             ErrorId::no_dump_folder);
  const DomId id = create();
  std::stop_source source;
  source.request_stop();
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const UniqueFd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  golden.add("a full disk", toolstack().dump_core(id, full.get(), {}, [](Pages, Pages) {}, {}));
  golden.add("called off", toolstack().dump_core(
                               id, file.get(), {}, [](Pages, Pages) {}, source.get_token()));
}

TEST_F(ErrorTextsOfDomains, Creates) {
  Goldens golden("creates");
  hide_directory(golden);
  config::DomainConfig wrong = config();
  wrong.memory = wrong.max_memory = mib(1 << 20);
  const DomId first = create("first");
  golden.hide(fmt::format("{} MiB are free", fake().host_info()->free_memory.count() >> 8),
              "N MiB are free");
  golden.add("more memory than there is", toolstack().create_domain(wrong, {}, {}));
  wrong = config();
  wrong.scheduling.cpus = {config::CpuSet().set(1023)};
  golden.hide(fmt::format("CPUs 0-{}", fake().host_info()->cpus - 1), "CPUs 0-N");
  golden.add("CPUs that the host has not", toolstack().create_domain(wrong, {}, {}));
  golden.add("the name is taken", toolstack().create_domain(config("first"), {}, {}));
  fake().set_hook([&](const hv::fake::CallRecord& call) {
    if (call.call == hv::fake::Call::set_memory_map) {
      fake().set_hook([](const hv::fake::CallRecord&) {});
      golden.add("a domain that is being made", toolstack().pause(call.domain));
    }
  });
  create("second");
  for (const auto& [call, when] : {std::pair{hv::fake::Call::create_domain, "no free domain"},
                                   {hv::fake::Call::event_bind, "no event channel"},
                                   {hv::fake::Call::unpause, "it cannot be unpaused"}}) {
    fake().fail_nth(call, 1, ErrorCode::limit);
    golden.add(when, toolstack().create_domain(config(), {}, {}));
  }
  fake().die();
  ASSERT_TRUE(wait_for(Kind::ended, first));
  start_result_ = fail(ErrorId::hypervisor_not_started, "the hypervisor's process has ended");
  golden.add("no hypervisor", toolstack().create_domain(config(), {}, {}));
}

TEST(ErrorTexts, TheHostsXenstored) {
  Goldens golden("xenstored");
  xenstore::MessageReader reader;
  reader.add(std::vector<std::byte>(16, std::byte{0xff}));
  golden.add("a message without end", reader.next());
}

TEST(ErrorTexts, NamesOfDevices) {
  Goldens golden("device-names");
  golden.add("no disk", config::parse_vdev("nothing"));
  golden.add("a disk too far", config::parse_vdev("hdz"));
  golden.add("a partition too far", config::parse_vdev("sda99"));
  golden.add("a number too large", config::parse_vdev("99999999999"));
  golden.add("no MAC address", config::MacAddress::parse("1"));
  golden.add("no PCI address", config::PciAddress::parse("1"));
  golden.add("no UUID", config::Uuid::parse("1"));
}

// What a config says that came as JSON (a record of a domain).
TEST(ErrorTexts, ConfigsAsJson) {
  Goldens golden("config-json");
  config::DomainConfig config;
  config.name = "guest";
  config::HostConfig host;
  host.cpu_mask.reset();
  host.cpu_mask.set(3);
  golden.add("a vcpu-pin beside the host's mask",
             config::restrict_cpus(host, config::CpuSet().set(1)));
  config.scheduling.cpus = {config::CpuSet().set(1)};
  golden.add("a config beside the host's mask", config::restrict_cpus(host, config));
  config.scheduling = {};
  config.kernel = "k";
  const auto with = [&](auto change) {
    config::DomainConfig wrong = config;
    change(wrong);
    return config::validate(wrong);
  };
  golden.add("no name", with([](auto& wrong) { wrong.name.clear(); }));
  golden.add("no kernel", with([](auto& wrong) { wrong.kernel.clear(); }));
  golden.add("no vcpu", with([](auto& wrong) { wrong.vcpus = 0; }));
  golden.add("too few vcpus", with([](auto& wrong) { wrong.vcpus = 2; }));
  golden.add("no memory", with([](auto& wrong) { wrong.memory = Bytes(0); }));
  golden.add("less than memory", with([](auto& wrong) { wrong.max_memory = mib(2); }));
  golden.add("the nil UUID", with([](auto& wrong) { wrong.uuid.emplace(); }));
  golden.add("an empty set", with([](auto& wrong) { wrong.scheduling.cpus.emplace_back(); }));
  golden.add("no text", with([](auto& wrong) { wrong.kernel = "\xff"; }));
  golden.add("a weight of 0", with([](auto& wrong) { wrong.scheduling.weight = 0; }));
  golden.add("a cap of 99999", with([](auto& wrong) { wrong.scheduling.cap = 99999; }));

  const nlohmann::json good = config::to_json(config);
  const auto read = [&](const char* path, const nlohmann::json& value) {
    nlohmann::json wrong = good;
    wrong[nlohmann::json::json_pointer(path)] = value;
    return config::domain_config_from_json(wrong);
  };
  golden.add("no object", config::domain_config_from_json(nlohmann::json::array()));
  golden.add("another member", read("/colour", "red"));
  for (const char* const path :
       {"/name", "/memory_kib", "/acpi", "/on_crash", "/uuid", "/scheduling", "/scheduling/weight",
        "/scheduling/cpus", "/scheduling/colour"}) {
    golden.add(std::string("a wrong ") + path, read(path, 1.5));
  }
  golden.add("an action that is none", read("/on_crash", "dance"));
  golden.add("a set that is none", read("/scheduling/cpus", nlohmann::json::array({"x"})));
  golden.add("a finding that is none", config::diagnostic_from_json({{"severity", "fatal"}}));
  golden.add("a finding about nothing",
             config::diagnostic_from_json({{"severity", "error"}, {"rule", "taste"}}));
  golden.add("a set that is no text", read("/scheduling/cpus", nlohmann::json::array({1})));
}

}  // namespace
}  // namespace xl::toolstack
