// SPDX-License-Identifier: Apache-2.0
// The grammar against that of the real xl: libxlutil and this parser read the same texts, drawn
// from pieces of xl.cfg by a fixed sequence of random numbers, and must take the same ones and find
// the same values. Left out is what differs on purpose: numbers with a sign and the escapes \x and
// \ooo, which libxlutil does not take (4.17 has them in its source, but refuses or drops them),
// comments and text that end without a newline, and carriage returns, which it does not take
// either.
#include <gtest/gtest.h>

extern "C" {
#include <libxlutil.h>
}

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "libxl++/config/findings.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {
namespace {

constexpr std::array<const char*, 3> keys = {"a", "b", "ab"};

// Keys and their values in a notation that both sides are brought to.
using Settings = std::map<std::string, std::string>;

std::string show(const Value& value) {
  if (value.kind != Value::Kind::list) return "<" + value.text + ">";
  std::string out = "[";
  for (const Value& item : value.items) out += show(item) + ",";
  return out + "]";
}

// Empty if the text is not taken.
std::optional<Settings> read_here(const std::string& text) {
  const SourceText source("peer", text);
  Findings findings({&source, 1});
  std::vector<Assignment> assignments;
  parse_assignments(source, 0, Dialect::file, findings, assignments);
  std::map<std::string, Value> values;
  for (Assignment& assignment : assignments) {
    Value& value = values[assignment.key];
    const bool append = assignment.append && value.span.length != 0;
    if (!append) value = Value{assignment.value.kind, assignment.value.span, {}, {}};
    if ((value.kind == Value::Kind::list) != (assignment.value.kind == Value::Kind::list))
      return {};
    value.text += assignment.value.text;
    for (Value& item : assignment.value.items) value.items.push_back(std::move(item));
  }
  if (findings.has_errors()) return {};
  Settings settings;
  for (const char* key : keys) {
    if (values.contains(key)) settings[key] = show(values[key]);
  }
  return settings;
}

std::string show(const XLU_Config* config, XLU_ConfigList* list);

std::string show(const XLU_Config* config, XLU_ConfigValue* value) {
  if (xlu_cfg_value_type(value) == XLU_STRING) {
    char* text = nullptr;
    xlu_cfg_value_get_string(config, value, &text, 1);
    return std::string("<") + text + ">";
  }
  XLU_ConfigList* list = nullptr;
  xlu_cfg_value_get_list(config, value, &list, 1);
  return show(config, list);
}

std::string show(const XLU_Config* config, XLU_ConfigList* list) {
  std::string out = "[";
  for (int i = 0; XLU_ConfigValue* item = xlu_cfg_get_listitem2(list, i); ++i) {
    out += show(config, item) + ",";
  }
  return out + "]";
}

class Libxlutil {
 public:
  std::optional<Settings> read(const std::string& text) {
    const std::unique_ptr<XLU_Config, decltype(&xlu_cfg_destroy)> config(
        xlu_cfg_init(report_.get(), "peer"), xlu_cfg_destroy);
    if (xlu_cfg_readdata(config.get(), text.data(), static_cast<int>(text.size())) != 0) return {};
    Settings settings;
    for (const char* key : keys) {
      const char* string = nullptr;
      XLU_ConfigList* list = nullptr;
      if (xlu_cfg_get_string(config.get(), key, &string, 1) == 0) {
        settings[key] = std::string("<") + string + ">";
      } else if (xlu_cfg_get_list(config.get(), key, &list, nullptr, 1) == 0) {
        settings[key] = show(config.get(), list);
      }
    }
    return settings;
  }

 private:
  std::unique_ptr<std::FILE, decltype(&std::fclose)> report_{std::fopen("/dev/null", "w"),
                                                             std::fclose};
};

constexpr std::array pieces = {
    "a",         "b",
    "ab",        "=",
    "=",         "+=",
    "=",         "\"s\"",
    "'t'",       "\"q\\\"n\"",
    "'\\''",     "5",
    "0x1f",      "017",
    "1a",        "08",
    "[",         "]",
    ",",         ";",
    "\n",        "\n",
    " ",         "\t",
    "# c\n",     "[ 'x', ]",
    "[]",        "'\\\\'",
    "'u",        "$",
    "a='v'\n",   "b=[1,2]\n",
    "ab+='z'\n", "\"\\q\"",
    "a='1';",    "[[1],\n]",
    "b+=[3];",   "\"\\t\\n\\a\"",
    "-",         "(",
};

TEST(Peer, LibxlutilTakesTheSameTextsWithTheSameValues) {
  Libxlutil libxlutil;
  std::mt19937 random(2024);
  int taken = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto left = 1 + random() % 12; left > 0; --left) text += pieces[random() % pieces.size()];
    text += '\n';
    const std::optional<Settings> theirs = libxlutil.read(text);
    ASSERT_EQ(theirs, read_here(text)) << text;
    taken += theirs ? 1 : 0;
  }
  EXPECT_GT(taken, 500);  // else the comparison says little
}

}  // namespace
}  // namespace xl::config
