// SPDX-License-Identifier: Apache-2.0
// Texts that nobody writes by hand. Each must end soon, with few and clear findings.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

const std::string start = "name=\"x\"; kernel=\"k\"\n";

Parsed parse(const std::string& text) {
  return parse_domain_config({"f", text});
}

TEST(Hostile, NestingTenThousandDeep) {
  const std::string open(10000, '[');
  const std::string close(10000, ']');
  const Parsed parsed = parse(start + "disk = " + open + close + "\nmemory = -1\n");
  ASSERT_EQ(parsed.diagnostics.size(), 2U);
  EXPECT_EQ(summary(parsed.diagnostics[0]), "f:2:40: lists are nested more than 32 deep here");
  EXPECT_EQ(parsed.diagnostics[1].location.line, 3U);  // reading went on behind the lists
}

TEST(Hostile, NestingNeverClosed) {
  const Parsed parsed = parse(start + "disk = " + std::string(1000000, '['));
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(summary(parsed.diagnostics[0]), "f:2:40: lists are nested more than 32 deep here");
}

TEST(Hostile, TheDeepestNestingAllowedIsRead) {
  const std::string text =
      start + "disk = " + std::string(max_nesting, '[') + std::string(max_nesting, ']');
  const Parsed parsed = parse(text);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(summary(parsed.diagnostics[0]), "f:2:9: 'disk' takes strings, not lists in a list");
}

TEST(Hostile, HundredMegabytes) {
  const std::string text(100U * 1024 * 1024, 'a');
  const Parsed parsed = parse(text);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(render(parsed.diagnostics[0]),
            "f: error: more than 1024 KiB long; this is no domain config\n");
}

TEST(Hostile, OverridesTooLargeInSum) {
  const std::vector<std::string> overrides(3, std::string(max_source_size / 2, 'a'));
  const Parsed parsed = parse_domain_config({"f", start}, overrides);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(render(parsed.diagnostics[0]),
            "command line: error: more than 1024 KiB long; this is no domain config\n");
}

TEST(Hostile, TheLargestFileAllowedIsRead) {
  std::string text = start;
  text.resize(max_source_size, '\n');
  EXPECT_TRUE(parse(text).config);
  text += '\n';
  EXPECT_FALSE(parse(text).config);
}

TEST(Hostile, NulIsReportedWhereItStands) {
  const Parsed parsed = parse(start + std::string("memory = \"6\0004\"\nfoo\n", 19));
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(summary(parsed.diagnostics[0]), "f:2:12: NUL byte \\x00; this is not a text file");
  EXPECT_EQ(parsed.diagnostics[0].snippet.text, "memory = \"6\\x004\"");
  EXPECT_EQ(parsed.diagnostics[0].snippet.caret, 11U);
}

TEST(Hostile, NulInAnOverride) {
  const std::vector<std::string> overrides = {"memory=64", std::string("name=a\0b", 8)};
  const Parsed parsed = parse_domain_config({"f", start}, overrides);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(summary(parsed.diagnostics[0]),
            "command line:2:7: NUL byte \\x00; this is not a text file");
}

TEST(Hostile, EveryOctetAlone) {
  for (int octet = 1; octet < 256; ++octet) {
    const std::string text = start + static_cast<char>(octet) + "\n";
    const Parsed parsed = parse(text);
    const bool blank = std::string("\t\n\r ;#").find(static_cast<char>(octet)) != std::string::npos;
    EXPECT_EQ(parsed.diagnostics.size(), blank ? 0U : 1U) << octet;
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
      EXPECT_EQ(diagnostic.location.line, 2U);
      EXPECT_LE(diagnostic.location.column, 2U);  // behind a letter '=' is missing
      for (const char c : diagnostic.message) EXPECT_GE(c, ' ') << octet;
    }
  }
}

TEST(Hostile, BinaryGarbageGivesABoundedNumberOfFindings) {
  std::string text;
  std::uint32_t state = 1;
  for (int i = 0; i < 500000; ++i) {
    state = state * 1664525U + 1013904223U;
    const auto octet = static_cast<char>(state >> 24);
    text += octet == '\0' ? '\x01' : octet;
  }
  const Parsed parsed = parse(text);
  EXPECT_FALSE(parsed.config);
  EXPECT_EQ(parsed.diagnostics.size(), max_diagnostics + 1);
  for (const Diagnostic& diagnostic : parsed.diagnostics)
    EXPECT_LT(render(diagnostic).size(), 1500U);
}

// Each += takes over the text so far; that must not cost its length again each time.
TEST(Hostile, ALongChainOfAppends) {
  std::string text = start;
  while (text.size() < max_source_size - 20) text += "extra+=\"a\";";
  const Parsed parsed = parse(text);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_NE(parsed.diagnostics[0].message.find("bytes long, more than 2047"), std::string::npos);
}

TEST(Hostile, ManyUnknownKeys) {
  std::string text = start;
  while (text.size() < max_source_size - 20) text += "abcdefgh=1;";
  EXPECT_EQ(parse(text).diagnostics.size(), max_diagnostics + 1);
}

TEST(Hostile, LongWordsAreCutInMessages) {
  const Parsed parsed = parse(std::string(100000, 'k') + " = " + std::string(100000, '9') + "z\n");
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    EXPECT_LT(diagnostic.message.size(), 200U);
    EXPECT_LT(diagnostic.snippet.text.size(), 200U);
  }
}

TEST(Hostile, HugeAndNegativeNumbers) {
  for (const char* key : {"memory", "maxmem", "vcpus", "maxvcpus"}) {
    for (const char* value : {"-1", "0", "99999999999999999999999999999999", "18446744073709551615",
                              "0xffffffffffffffffffff", "-99999999999999999999", "\"-5\""}) {
      const Parsed parsed = parse(start + key + " = " + value + "\n");
      ASSERT_EQ(parsed.diagnostics.size(), 1U) << key << value;
      EXPECT_NE(parsed.diagnostics[0].message.find("must be from 1 to"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace xl::config
