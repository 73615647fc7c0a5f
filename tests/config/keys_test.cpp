// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/keys.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

using Fate = Key::Fate;

Parsed parse(std::string_view line, const ParseOptions& options = {}) {
  return parse_domain_config({"f", fmt::format("name=\"x\"; kernel=\"k\"\n{}\n", line)}, {},
                             options);
}

// A value of the right kind that asks for something.
std::string sample(const Key& key) {
  if (key.name == "disk") return "[\"/dev/x,,xvda\"]";
  if (key.name == "vif") return "[\"bridge=b\"]";
  if (key.name == "channel") return "[\"name=c,connection=pty\"]";
  if (key.name == "p9") return "[\"tag=t,security_model=none,path=/p\"]";
  if (key.name == "pci") return "[\"00:01.0\"]";
  if (key.name == "rdm") return "\"strategy=host\"";
  if (key.name == "usbctrl") return "[\"version=2\"]";
  if (key.name == "usbdev") return "[\"hostbus=1,hostaddr=2\"]";
  if (key.name == "vdispl") return "[\"connectors=0:1x1\"]";
  if (key.name == "vfb") return "[\"vnc=1\"]";
  if (key.name == "vkb") return "[\"backend-type=linux,unique-id=k\"]";
  if (key.name == "vsnd") return "[[\"CARD, short-name=s\"]]";
  if (key.name == "vtpm" || key.name == "pvcalls") return "[\"backend=d\"]";
  using Kind = KeyValue::Kind;
  const KeyValue& value = key.value;
  switch (value.kind) {
    case Kind::text:
    case Kind::text_or_list: return "\"7x\"";
    case Kind::choice:
      for (const std::string_view name : value.names) {
        if (key.granted.find(fmt::format("{},", name)) == std::string_view::npos) {
          return fmt::format("\"{}\"", name);
        }
      }
      return {};
    case Kind::list: return "[\"x\"]";
    case Kind::lists: return "[[\"x\"]]";
    case Kind::number: return fmt::format("{}", value.range.least > 1 ? value.range.least : 1);
    case Kind::boolean: return key.granted == "1," ? "0" : "1";  // nx, pae: 0 asks for something
    case Kind::boolean_or_choice:
    case Kind::boolean_or_list: return "1";
  }
  return {};
}

TEST(Keys, AcceptedOnesWarnTheOthersAreRefusedWithTheReason) {
  for (const Key& key : keys()) {
    if (key.fate == Fate::honoured) continue;
    const Parsed parsed = parse(fmt::format("{} = {}", key.name, sample(key)));
    ASSERT_EQ(parsed.diagnostics.size(), 1U) << key.name;
    EXPECT_EQ(parsed.config.has_value(), key.fate == Fate::accepted) << key.name;
    EXPECT_NE(render(parsed.diagnostics).find(key.reason->why), std::string::npos) << key.name;
  }
}

TEST(Keys, WhatIsEmptyOrGrantedIsTakenWithoutAWord) {
  for (const Key& key : keys()) {
    if (key.fate != Fate::refused && key.fate != Fate::device) continue;
    std::string_view granted = key.granted;
    while (!granted.empty()) {
      const std::size_t comma = granted.find(',');
      const Parsed parsed = parse(fmt::format("{} = \"{}\"", key.name, granted.substr(0, comma)));
      EXPECT_EQ(render(parsed.diagnostics), "") << key.name;
      granted.remove_prefix(comma + 1);
    }
    using Kind = KeyValue::Kind;
    if (key.value.kind == Kind::list || key.value.kind == Kind::lists) {
      EXPECT_EQ(render(parse(fmt::format("{} = []", key.name)).diagnostics), "") << key.name;
    }
  }
}

// Of every key, whatever becomes of it, and once.
TEST(Keys, TheKindOfValueIsChecked) {
  using Kind = KeyValue::Kind;
  for (const Key& key : keys()) {
    const bool takes_list = key.value.kind == Kind::list || key.value.kind == Kind::lists ||
                            key.value.kind == Kind::text_or_list ||
                            key.value.kind == Kind::boolean_or_list;
    const char* const wrong = takes_list ? "[[[\"x\"]]]" : "[\"x\"]";
    const Parsed parsed = parse(fmt::format("{} = {}", key.name, wrong));
    EXPECT_FALSE(parsed.config) << key.name;
    EXPECT_EQ(std::count_if(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                            [](auto& one) { return one.severity == Severity::error; }),
              1)
        << key.name;
  }
}

TEST(Keys, EachHasAReasonAndAReasonHasAnEnd) {
  for (const Key& key : keys()) {
    if (key.fate == Fate::honoured) continue;
    EXPECT_FALSE(key.reason->why.empty()) << key.name;
    EXPECT_EQ(key.fate == Fate::accepted, key.reason->cure.empty()) << key.name;
    EXPECT_TRUE(key.granted.empty() || key.granted.back() == ',') << key.name;
  }
}

TEST(Keys, UnknownOnesAreWarningsAndErrorsWhenStrict) {
  const Parsed lax = parse("memroy = 1");
  EXPECT_TRUE(lax.config);
  EXPECT_EQ(render(lax.diagnostics),
            "f:2:1: warning: 'memroy' is ignored: unknown key\n    memroy = 1\n    ^~~~~~\n"
            "  hint: did you mean 'memory'?\n");
  const Parsed strict = parse("memroy = 1", {.strict = true});
  EXPECT_FALSE(strict.config);
  EXPECT_EQ(summary(strict.diagnostics.at(0)), "f:2:1: 'memroy' is not supported: unknown key");
}

TEST(Keys, WarningsHideNoError) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("unknown{} = 1\n", i);
  const Parsed parsed = parse(text + "vcpus = 0\n");
  EXPECT_FALSE(parsed.config);
  ASSERT_EQ(parsed.diagnostics.size(), max_diagnostics + 1);
  EXPECT_EQ(summary(parsed.diagnostics[max_diagnostics - 1]),
            "f:102:9: 'vcpus' must be from 1 to 64, not 0");
}

TEST(Keys, ADryRunTakesDevices) {
  EXPECT_FALSE(parse("disk = [ \"/dev/x,,xvda\" ]").config);
  EXPECT_TRUE(parse("disk = [ \"/dev/x,,xvda\" ]", {.dry_run = true}).config);
}

TEST(Keys, FoundByExactNameOnly) {
  EXPECT_EQ(keys()[*find_key("memory")].name, "memory");
  EXPECT_EQ(keys()[*find_key("acpi")].name, "acpi");
  for (const char* name : {"", "mem", "memoryx", "Memory", "zzz", "!"}) {
    EXPECT_EQ(find_key(name), std::nullopt) << name;
  }
}

TEST(Keys, NearestName) {
  EXPECT_EQ(nearest_key("memroy"), "memory");
  EXPECT_EQ(nearest_key("MEMORY"), "memory");
  EXPECT_EQ(nearest_key("vcpu"), "vcpus");
  EXPECT_EQ(nearest_key("on_power_off"), "on_poweroff");
  EXPECT_EQ(nearest_key("completely_different"), "");
}

}  // namespace
}  // namespace xl::config
