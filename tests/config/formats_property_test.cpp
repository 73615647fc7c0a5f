// SPDX-License-Identifier: Apache-2.0
// Random configs, of all keys and of all shapes of values, through every format and through chains
// of them: the same keys with the same values come out.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "libxl++/config/formats/convert.hpp"
#include "libxl++/config/formats/document.hpp"
#include "libxl++/config/formats/libvirt.hpp"
#include "libxl++/config/formats/writers.hpp"
#include "libxl++/config/keys.hpp"

namespace xl::config {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
  }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> odd_strings = {"",
                                              " ",
                                              "  two  ",
                                              "a b",
                                              "yes",
                                              "No",
                                              "null",
                                              "~",
                                              "true",
                                              "FALSE",
                                              "on",
                                              "1.5",
                                              "1e3",
                                              "0x10",
                                              "010",
                                              "08",
                                              "+5",
                                              "-7",
                                              "-0",
                                              "007",
                                              "12:30:45",
                                              "2026-01-01",
                                              "- x",
                                              "? x",
                                              "a: b",
                                              "a #b",
                                              "#",
                                              "a:",
                                              ":a",
                                              "[x]",
                                              "{x}",
                                              "x,y",
                                              "a=b,c=d",
                                              "it's",
                                              "say \"hi\"",
                                              "\"",
                                              "'",
                                              "both ' and \"",
                                              "back\\slash",
                                              "\\n",
                                              "line\nbreak",
                                              "\n",
                                              "\ttab",
                                              "cr\rcr",
                                              "crlf\r\n",
                                              "caf\xc3\xa9",
                                              "\xe4\xb8\xad\xe6\x96\x87",
                                              "\xf0\x9f\x90\x9f",
                                              "nbsp\xc2\xa0",
                                              "nel\xc2\x85",
                                              "ls\xe2\x80\xa8",
                                              "\xef\xbb\xbf"
                                              "bom",
                                              "<xml>",
                                              "&amp;",
                                              "]]>",
                                              "<!-- -->",
                                              "%d",
                                              "@x",
                                              "`x`",
                                              "!x",
                                              "*x",
                                              "&x",
                                              "|",
                                              ">",
                                              "=",
                                              "<<",
                                              "--- ",
                                              "...",
                                              "console=hvc0 root=/dev/xvda ro quiet",
                                              "/path/to/x.img",
                                              "del\x7f",
                                              "00000000-0000-0000-0000-000000000001",
                                              "99999999999999999999",
                                              "a,b=c",
                                              "all",
                                              "0-3,^1"};
const std::vector<std::string> control_strings = {"\x01",
                                                  "a\x1f"
                                                  "b",
                                                  "bell\a", "\x1b[0m"};

const std::vector<std::string> disks = {"/dev/vg/x,raw,xvda,rw",
                                        "/x.img,,xvda",
                                        "/x.qcow2,qcow2,xvdb,r",
                                        "format=raw,vdev=xvda,access=rw,target=/x",
                                        "format=raw, vdev=hda, access=ro, target=/a,b c=d",
                                        "vdev=xvdc,target=/z",
                                        ",,hdc,,cdrom",
                                        "devtype=cdrom,vdev=hdc,target=",
                                        "phy:/dev/x,xvda,w",
                                        "backendtype=phy,vdev=xvda,discard,target=/dev/sda",
                                        "vdev=xvda,no-discard,target=/x",
                                        "vdev=xvda,discard,no-discard,target=/x",
                                        "script=block-iscsi,vdev=xvda,target=iqn",
                                        "target=/x",
                                        "direct-io-safe,vdev=xvda,target=/x",
                                        "vdev=xvda,vdev=xvdb,target=/x",
                                        ""};
const std::vector<std::string> vifs = {
    "",
    "mac=00:16:3e:00:00:01,bridge=xenbr0",
    "bridge=xenbr0,rate=10Mb/s@50ms",
    "type=vif",
    "mac=",
    "ip=10.0.0.1 10.0.0.2",
    "mac=00:16:3e:01:02:03, bridge=br0, script=vif-route,vifname=g,model=e1000",
    "bridge=a,bridge=b",
    "bridge",
    "backend=dom"};
const std::vector<std::string> pcis = {
    "01:00.0",   "0000:01:00.0",        "0001:ff:1f.7,permissive=1",
    "1:2.3",     "bdf=01:00.0,seize=1", "nonsense",
    "01:00.0@5", "ffff:00:20.0"};

Value string(std::string text) {
  return {Value::Kind::string, {}, std::move(text), {}};
}
Value number(std::string text) {
  return {Value::Kind::number, {}, std::move(text), {}};
}

Value random_atom(Random& random, bool control) {
  if (random.chance(30)) return number(std::to_string(random.below(1 << random.below(20))));
  if (random.chance(5))
    return number(random.pick<std::string>({"0x1f", "010", "-3", "+3", "12ab", "08"}));
  if (control && random.chance(10)) return string(random.pick(control_strings));
  if (random.chance(85)) return string(random.pick(odd_strings));
  std::string text;  // anything
  while (random.chance(90)) text += random.pick(odd_strings).substr(0, 3);
  std::size_t at = 0;
  for (; at < text.size() && text[at] > 0; ++at) continue;
  return string(text.substr(0, at));
}

Value random_value(Random& random, bool control, std::size_t depth = 0) {
  if (depth > 3 || random.chance(70)) return random_atom(random, control);
  Value list{Value::Kind::list, {}, {}, {}};
  while (random.chance(60)) list.items.push_back(random_value(random, control, depth + 1));
  return list;
}

Value random_specs(Random& random, const std::vector<std::string>& specs) {
  Value list{Value::Kind::list, {}, {}, {}};
  while (random.chance(60)) list.items.push_back(string(random.pick(specs)));
  return list;
}

Value value_for(std::string_view key, Random& random, bool control) {
  if (random.chance(20)) return random_value(random, control);
  if (key == "disk") return random_specs(random, disks);
  if (key == "vif") return random_specs(random, vifs);
  if (key == "pci") return random_specs(random, pcis);
  if (key == "cpus") return random_specs(random, {"0", "0-3,^1", "all", "7"});
  if (key == "vnuma") {
    Value list{Value::Kind::list, {}, {}, {}};
    list.items.push_back(random_specs(random, {"pnode=0", "size=512", "vcpus=0-3,5", "x"}));
    return list;
  }
  if (key == "type") return string(random.pick<std::string>({"pvh", "pv", "hvm", "x"}));
  if (key == "acpi" || key == "hap" || key == "localtime")
    return number(std::to_string(random.below(3)));
  if (key.starts_with("on_"))
    return string(
        random.pick<std::string>({"destroy", "soft-reset", "preserve", "coredump-restart"}));
  return random_value(random, control);
}

std::vector<Assignment> random_config(Random& random, bool control) {
  std::vector<Assignment> assignments;
  const std::size_t density = 1 + random.below(60);
  for (const Key& key : keys()) {
    if (!random.chance(density)) continue;
    assignments.push_back({std::string(key.name), {}, false, value_for(key.name, random, control)});
  }
  if (random.chance(20))
    assignments.push_back({"my.own_Key9", {}, false, random_atom(random, control)});
  Findings findings{{}};
  return settle(std::move(assignments), findings);
}

// Of a device, XML keeps what it is, not the order in which it was said.
std::string canonical(std::string_view key, const std::string& text) {
  if (key == "disk") {
    if (const auto disk = libvirt::disk_of(text)) return to_spec(*disk);
  }
  if (key == "vif") {
    if (const auto vif = libvirt::interface_of(text)) return to_spec(*vif);
  }
  if (key == "pci") {
    if (const auto pci = libvirt::pci_of(text)) return to_spec(*pci);
  }
  return text;
}

std::string dump(std::string_view key, const Value& value, bool exact) {
  if (value.kind != Value::Kind::list) {
    const bool number = exact && value.kind == Value::Kind::number && is_plain_integer(value.text);
    return (number ? "#" : "'") + (exact ? value.text : canonical(key, value.text)) + "'";
  }
  std::string out = "[";
  for (const Value& item : value.items) out += dump(key, item, exact) + ",";
  return out + "]";
}

std::string dump(const std::vector<Assignment>& assignments, bool exact) {
  std::string out;
  for (const Assignment& one : assignments)
    out += one.key + "=" + dump(one.key, one.value, exact) + "\n";
  return out;
}

std::string write(Format format, const std::vector<Assignment>& assignments) {
  Findings findings{{}};
  switch (format) {
    case Format::cfg: return write_cfg(assignments);
    case Format::yaml: return write_yaml(assignments);
    case Format::json: return write_json(assignments);
    case Format::xml: return write_xml(assignments, findings).value();
  }
  return {};
}

std::vector<Assignment> read(Format format, const std::string& text) {
  const std::array sources = {SourceText("test", text)};
  Findings findings(sources);
  std::vector<Assignment> assignments;
  read_document(format, sources[0], 0, findings, assignments);
  assignments = settle(std::move(assignments), findings);
  EXPECT_EQ(render(std::move(findings).take()), "") << text;
  return assignments;
}

class Formats : public testing::TestWithParam<unsigned> {};

TEST_P(Formats, EachCarriesWhatItIsGiven) {
  Random random(GetParam());
  for (int round = 0; round < 25; ++round) {
    for (const Format format : all_formats) {
      const auto config = random_config(random, format != Format::xml);
      const std::string text = write(format, config);
      const bool exact = format != Format::xml;
      ASSERT_EQ(dump(read(format, text), exact), dump(config, exact)) << text;
      ASSERT_EQ(write(format, read(format, text)),
                write(format, read(format, write(format, read(format, text)))));
    }
  }
}

TEST_P(Formats, ChainsOfThemLoseNothing) {
  Random random(GetParam() + 1000);
  const std::vector<Format> formats(all_formats.begin(), all_formats.end());
  for (int round = 0; round < 12; ++round) {
    const auto config = random_config(random, false);
    std::string trace;
    std::string text = write(Format::cfg, config);
    Format from = Format::cfg;
    for (int step = 0; step < 6; ++step) {
      const Format to = step == 5 ? Format::cfg : random.pick(formats);
      trace += " " + std::string(to_string(to));
      const Converted converted = convert({"test", text}, from, to);
      ASSERT_EQ(render(converted.diagnostics), "") << trace << "\n" << text;
      text = *converted.text;
      from = to;
    }
    ASSERT_EQ(dump(read(Format::cfg, text), false), dump(config, false)) << trace;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Formats, testing::Range(0U, 8U));

TEST(Formats, TheFormatIsToldByTheTextToo) {
  Random random(7);
  for (int round = 0; round < 50; ++round) {
    auto config = random_config(random, false);
    if (config.empty()) continue;
    for (const Format format : all_formats) {
      EXPECT_EQ(guess_format("x", write(format, config)), format) << write(format, config);
      EXPECT_EQ(guess_format("a.b/x." + std::string(to_string(format)), ""), format);
    }
  }
}

TEST(Formats, XmlSaysWhatItCannotCarry) {
  for (const std::string text : {"\"\\x01\"", "[ 'a', ['\\033'] ]", "'\xef\xbf\xbf'"}) {
    const Converted converted =
        convert({"a.cfg", "name = 'x'\nextra = " + text + "\n"}, {}, Format::xml);
    EXPECT_FALSE(converted.text);
    ASSERT_EQ(converted.diagnostics.size(), 1U);
    EXPECT_EQ(converted.diagnostics[0].location.line, 2U);
    EXPECT_NE(converted.diagnostics[0].message.find("which XML cannot carry"), std::string::npos);
  }
}

}  // namespace
}  // namespace xl::config
