// SPDX-License-Identifier: Apache-2.0
// Channels, 9pfs, PCI, USB, TPMs, keyboards, displays, framebuffers: the form of each in full, and
// its errors.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/config/devices/spec_text.hpp"

namespace xl::config {
namespace {

template <auto Parse>
std::string outcome(const std::string& spec) {
  return spec_text(Parse(spec), spec);
}

// The error's message and hint, without the place.
template <auto Parse>
std::string complaint(const std::string& spec) {
  const auto parsed = Parse(spec);
  EXPECT_FALSE(parsed.value) << spec;
  return parsed.findings.empty() ? "" : parsed.findings[0].message + "; " + parsed.findings[0].hint;
}

TEST(Channel, NameConnectionAndPath) {
  constexpr auto& of = outcome<parse_channel>;
  EXPECT_EQ(of("name=org.x.1, connection = socket ,path=/run/x,backend=d"),
            R"({"backend_domname":"d","name":"org.x.1","connection.socket":{"path":"/run/x"}})"
            "\n");
  EXPECT_EQ(of("connection=pty,name=a"), "{\"name\":\"a\",\"connection.pty\":{}}\n");
  EXPECT_EQ(of("name=a,connection=tty"),
            "spec:1:19: error: 'tty' is not a connection\n"
            "    name=a,connection=tty\n"
            "                      ^~~\n"
            "  hint: did you mean 'pty'?\n");
  constexpr auto& wrong = complaint<parse_channel>;
  EXPECT_EQ(wrong("connection=pty"), "the channel has no name; write name=org.example.agent.1");
  EXPECT_EQ(wrong("name=a"),
            "the channel has no connection; write connection=pty, or connection=socket,path=...");
  EXPECT_EQ(wrong("name=a,connection=socket"), "the channel's socket has no path; write path=...");
  EXPECT_EQ(wrong("nam=a,connection=pty"), "a channel has no key 'nam'; did you mean 'name'?");
}

TEST(P9, TagPathAndModel) {
  EXPECT_EQ(outcome<parse_p9>("tag=t,path=/srv,security_model=none,backend=d"),
            R"({"backend_domname":"d","tag":"t","path":"/srv","security_model":"none"})"
            "\n");
  constexpr auto& wrong = complaint<parse_p9>;
  EXPECT_EQ(wrong("path=/srv,security_model=none"),
            "the p9 share has no tag; write tag=NAME,path=/DIRECTORY,security_model=none");
  EXPECT_EQ(wrong("tag=t,path=/srv,security_model=mapped"),
            "'mapped' is not a security_model; there are: none");
  EXPECT_EQ(outcome<parse_pvcalls>("backend=d"), "{\"backend_domname\":\"d\"}\n");
}

TEST(Pci, AddressesAndOptions) {
  constexpr auto& of = outcome<parse_pci>;
  EXPECT_EQ(of("0000:36:1f.7@8,permissive=1,msitranslate=1,seize=1,power_mgmt=1,rdm_policy=strict"),
            R"({"func":7,"dev":31,"bus":54,"vdevfn":64,"vfunc_mask":1,"msitranslate":true,)"
            R"("power_mgmt":true,"permissive":true,"seize":true,"rdm_policy":"strict"})"
            "\n");
  EXPECT_EQ(of("36:00.0@1f,seize=1"), of("bdf=36:00.0,vslot=1f,seize=1"));
  EXPECT_EQ(of("36:00.0@1f,seize=1"), of("36:00.0,vslot=0x1f,seize=1"));
  EXPECT_EQ(of("1:2.*"), "{\"dev\":2,\"bus\":1,\"vfunc_mask\":4294967295}\n");
  EXPECT_EQ(of("name=gpu"), "{\"name\":\"gpu\"}\n");
  EXPECT_EQ(of("36:00.8,seize=1"),
            "spec:1:1: error: '36:00.8' is not a PCI address\n"
            "    36:00.8,seize=1\n"
            "    ^~~~~~~\n"
            "  hint: write it as lspci(1) does, [DDDD:]BB:SS.F in hexadecimal, or .* for all "
            "functions\n");
  EXPECT_EQ(of("36:00.0, siezed=1"),
            "spec:1:10: error: a PCI device has no key 'siezed'\n"
            "    36:00.0, siezed=1\n"
            "             ^~~~~~\n"
            "  hint: did you mean 'seize'?\n");
  constexpr auto& wrong = complaint<parse_pci>;
  EXPECT_EQ(wrong("36:00.0@20"),
            "'20' is not a slot; a slot is a hexadecimal number from 1 to 1f, or 0 for any");
  EXPECT_EQ(wrong("36:00.0,name=x"),
            "the PCI device has an address and a name; keep one of the two");
  EXPECT_EQ(
      wrong("seize=1"),
      "the PCI device has no address; write it as lspci(1) does, [DDDD:]BB:SS.F, or name=...");
  EXPECT_EQ(wrong("36:00.0,seize=yes"),
            "'yes' is not a number; write seize=1 for yes, seize=0 for no");
}

TEST(Rdm, StrategyAndPolicy) {
  EXPECT_EQ(outcome<parse_rdm>("strategy=host,policy=relaxed"),
            "{\"strategy\":\"host\",\"policy\":\"relaxed\"}\n");
  EXPECT_EQ(complaint<parse_rdm>("strategy=hos"), "'hos' is not a strategy; did you mean 'host'?");
}

TEST(Usb, ControllersAndDevices) {
  constexpr auto& controller = outcome<parse_usb_controller>;
  EXPECT_EQ(controller("version=1,ports=4"), "{\"version\":1,\"ports\":4}\n");
  EXPECT_EQ(controller("type=qusb"), "{\"type\":\"qusb\"}\n");
  EXPECT_EQ(complaint<parse_usb_controller>("ports=32"),
            "'32' is out of range; 'ports' takes a number from 1 to 31");
  EXPECT_EQ(complaint<parse_usb_controller>("version=3"),
            "version=3 is there with type=devicemodel only; write version=2");
  EXPECT_EQ(outcome<parse_usb_device>("type=hostdev,hostbus=1,hostaddr=3,controller=0,port=2"),
            R"({"ctrl":0,"port":2,"type.hostdev":{"hostbus":1,"hostaddr":3}})"
            "\n");
  EXPECT_EQ(complaint<parse_usb_device>("hostbus=1,hostaddr=3,port=2"),
            "the USB device has a port and no controller; write controller=0 as well");
  EXPECT_EQ(complaint<parse_usb_device>("hostbus=1"),
            "the USB device has no hostbus and hostaddr; write both as lsusb(1) shows them: "
            "hostbus=1,hostaddr=3");
}

TEST(Vtpm, BackendAndUuid) {
  EXPECT_EQ(outcome<parse_vtpm>("backend=v,uuid=99565062-fc90-4d15-a81e-b33e9adf8f6c"),
            R"({"backend_domname":"v","uuid":"99565062-fc90-4d15-a81e-b33e9adf8f6c"})"
            "\n");
  EXPECT_EQ(complaint<parse_vtpm>(""),
            "the vtpm has no backend; name the vTPM domain: backend=DOMAIN");
  EXPECT_FALSE(parse_vtpm("backend=v,uuid=9956").value);
}

TEST(Vkb, FeaturesAndSizes) {
  EXPECT_EQ(outcome<parse_vkb>("backend-type=linux,unique-id=k,multi-touch-width=3,width=640,"
                               "feature-disable-keyboard=1,feature-abs-pointer=0"),
            R"({"backend_type":"linux","unique_id":"k","feature_disable_keyboard":true,)"
            R"("feature_multi_touch":true,"width":640,"multi_touch_width":3})"
            "\n");
  EXPECT_EQ(complaint<parse_vkb>("width=1"),
            "the vkb has no backend-type; write backend-type=qemu or backend-type=linux");
  EXPECT_EQ(complaint<parse_vkb>("backend-type=qemu,feature-multi-touch=1"),
            "feature-multi-touch needs a size; write multi-touch-width, multi-touch-height, "
            "multi-touch-num-contacts");
}

TEST(Vdispl, Connectors) {
  EXPECT_EQ(outcome<parse_vdispl>("backend=d,be-alloc=1,connectors=id0:1920x1080;id1:800x600"),
            R"({"backend_domname":"d","be_alloc":true,"connectors":[)"
            R"({"unique_id":"id0","width":1920,"height":1080},)"
            R"({"unique_id":"id1","width":800,"height":600}]})"
            "\n");
  EXPECT_EQ(outcome<parse_vdispl>("connectors=id0:1920x1080;id1:800"),
            "spec:1:26: error: 'id1:800' is not a connector\n"
            "    connectors=id0:1920x1080;id1:800\n"
            "                             ^~~~~~~\n"
            "  hint: write id:WIDTHxHEIGHT, several with ';' between them: "
            "id0:1920x1080;id1:800x600\n");
  for (const char* spec : {"", "connectors=", "connectors=:1x1", "connectors=a:0x1",
                           "connectors=a:1x", "connectors=a:1x1;", "connectors=ax:1"}) {
    EXPECT_FALSE(parse_vdispl(spec).value) << spec;
  }
}

TEST(Vfb, VncAndSdl) {
  EXPECT_EQ(outcome<parse_vfb>("vnc=1,vnclisten=0.0.0.0,vncpasswd=p,vncdisplay=3,vncunused=0,"
                               "sdl=0,opengl=1,display=:0,xauthority=/a,keymap=de"),
            R"({"vnc":{"enable":"True","listen":"0.0.0.0","passwd":"p","display":3,)"
            R"("findunused":"False"},"sdl":{"enable":"False","opengl":"True","display":":0",)"
            R"("xauthority":"/a"},"keymap":"de"})"
            "\n");
  EXPECT_EQ(complaint<parse_vfb>("vnclisten=127.0.0.1:2,vncdisplay=3"),
            "vnclisten and vncdisplay both name a display; keep one of the two");
  EXPECT_TRUE(parse_vfb("vnclisten=[::1],vncdisplay=3").value);
  EXPECT_TRUE(parse_vfb("vnclisten=::1,vncdisplay=3").value);
  EXPECT_FALSE(parse_vfb("vnclisten=[::1]:2,vncdisplay=3").value);
  EXPECT_EQ(parse_vfb("vncpasswd=").findings.size(), 1u);
  EXPECT_EQ(complaint<parse_vfb>("vncdisplay=70000"),
            "'70000' is out of range; 'vncdisplay' takes a number from 0 to 59635");
}

using Items = std::vector<std::string>;

std::string card(const Items& items) {
  const ParsedSpec<Vsnd> parsed = parse_vsnd(items);
  std::string text;
  for (const SpecFinding& finding : parsed.findings) {
    text += fmt::format("{}:{}+{} {}; {}\n", finding.place.word, finding.place.offset,
                        finding.place.length, finding.message, finding.hint);
  }
  return parsed.value ? text + to_libxl_json(*parsed.value).dump() : text;
}

TEST(Vsnd, ACardHasPcmDevicesWhichHaveStreams) {
  EXPECT_EQ(card({"CARD, short-name=Main, sample-formats = S16_LE;s8 ,backend=d", "PCM, name=p",
                  "STREAM, unique-id=0, type=p", "stream, type=c, channels-max=2",
                  "PCM, sample-rates=8000; 0x1f40"}),
            R"({"backend_domname":"d","short_name":"Main",)"
            R"("params":{"sample_formats":["s16_le","s8"]},"pcms":[)"
            R"({"name":"p","params":{},"streams":[{"unique_id":"0","type":"p","params":{}},)"
            R"({"type":"c","params":{"channels_max":2}}]},)"
            R"({"params":{"sample_rates":[8000,8000]}}]})");
  EXPECT_EQ(card({}), R"({"params":{}})");
  EXPECT_EQ(card({"STREAM"}), R"({"params":{},"pcms":[{"params":{},"streams":[{"params":{}}]}]})");
  // The manual's name of what libxl calls otherwise.
  EXPECT_EQ(card({"CARD, sample-formats=float_le;float64_be"}),
            R"({"params":{"sample_formats":["f32_le","f64_be"]}})");
}

TEST(Vsnd, EachErrorHasItsPlace) {
  EXPECT_EQ(card({"CARD", "PMC, name=x"}),
            "1:0+3 'PMC' is not CARD, PCM or STREAM; did you mean 'pcm'?\n");
  EXPECT_EQ(card({"PCM, short-name=x"}),
            "0:5+10 a PCM device has no key 'short-name'; there are: name, sample-rates, "
            "sample-formats, channels-min, channels-max, buffer-size\n");
  EXPECT_EQ(card({"CARD", "STREAM, id=0"}),
            "1:8+2 a stream has no key 'id'; there are: unique-id, type, sample-rates, "
            "sample-formats, channels-min, channels-max, buffer-size\n");
  EXPECT_EQ(card({"STREAM, type=play"}), "0:13+4 'play' is not a stream's type; there are: p, c\n");
  EXPECT_EQ(
      card({"CARD, sample-formats=s16;s8"}),
      "0:21+3 's16' is not a sample format; there are: s8, u8, s16_le, s16_be, u16_le, u16_be, "
      "s24_le, s24_be, u24_le, u24_be, s32_le, s32_be, u32_le, u32_be, f32_le, f32_be, ...\n");
  EXPECT_EQ(card({"CARD, sample-rates=8000;x"}),
            "0:24+1 'x' is not a number; 'sample-rates' takes a number from 1 to 4294967295\n");
  EXPECT_EQ(card({"CARD, channels-min=4", "PCM", "STREAM, channels-max=2"}),
            "2:0+22 channels-min=4 is more than channels-max=2; what is not given comes from the "
            "item above\n");
  EXPECT_EQ(card({"CARD, buffer-size"}),
            "0:6+11 'buffer-size' needs a value; write "
            "buffer-size=...\n");
}

}  // namespace
}  // namespace xl::config
