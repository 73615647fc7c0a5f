// SPDX-License-Identifier: Apache-2.0
// The properties of parsing that hold for every text. What each construct gives is in golden/.
#include "libxl++/config/parse.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xl::config {
namespace {

Parsed parse(std::string_view text, const std::vector<std::string>& overrides = {}) {
  return parse_domain_config({"f", text}, overrides);
}

std::vector<std::string> messages(const Parsed& parsed) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : parsed.diagnostics) out.push_back(summary(diagnostic));
  return out;
}

TEST(Parse, DefaultsAreXls) {
  const Parsed parsed = parse("name=\"x\"\nkernel=\"k\"");
  ASSERT_TRUE(parsed.config);
  const DomainConfig& config = *parsed.config;
  EXPECT_EQ(config.memory, mib(32));
  EXPECT_EQ(config.max_memory, mib(32));
  EXPECT_EQ(config.vcpus, 1U);
  EXPECT_EQ(config.max_vcpus, 1U);
  EXPECT_EQ(config.on_poweroff, ShutdownAction::destroy);
  EXPECT_EQ(config.on_reboot, ShutdownAction::restart);
  EXPECT_EQ(config.on_crash, ShutdownAction::destroy);
  EXPECT_TRUE(config.acpi);
  EXPECT_FALSE(config.uuid);
  EXPECT_EQ(config.ramdisk, "");
  EXPECT_EQ(config.command_line, "");
}

TEST(Parse, MissingKeysAreNamed) {
  EXPECT_EQ(messages(parse("")),
            (std::vector<std::string>{"f: 'name' is missing", "f: 'kernel' is missing"}));
}

TEST(Parse, ASyntaxErrorHidesWhatMayOnlySeemToBeMissing) {
  EXPECT_EQ(messages(parse("name = x\n")), (std::vector<std::string>{"f:1:8: 'x' is not a value"}));
}

TEST(Parse, FindingsAreSortedFileFirst) {
  const Parsed parsed = parse("vcpus=0; memory=0\nfoo=1\nname=\"x\"\n", {"acpi=x", "colour=1"});
  EXPECT_EQ(messages(parsed), (std::vector<std::string>{
                                  "f:1:7: 'vcpus' must be from 1 to 64, not 0",
                                  "f:1:17: 'memory' must be from 1 to 16777216 MiB, not 0",
                                  "f:2:1: 'foo' is ignored: unknown key", "f: 'kernel' is missing",
                                  "command line:1:6: 'acpi' takes a number, not 'x'",
                                  "command line:2:1: 'colour' is ignored: unknown key"}));
}

TEST(Parse, OnlyTheAssignmentThatHoldsIsChecked) {
  EXPECT_TRUE(parse("name=\"x\";kernel=\"k\";memory=0", {"memory=64"}).config);
}

TEST(Parse, OneFindingForEachStatement) {
  EXPECT_EQ(parse("a = = = \"x\n; $ % & name").diagnostics.size(), 2U);
}

TEST(Parse, ReadingGoesOnBehindAnError) {
  const Parsed parsed = parse("$$$ ; vcpus = 0\n[[ ]]]\nacpi = 'x\nmemory = 0");
  EXPECT_EQ(parsed.diagnostics.size(), 5U);
}

TEST(Parse, WarningsDoNotPrevent) {
  const Parsed parsed = parse("name='x';kernel='k';root='r';cmdline='c'");
  EXPECT_TRUE(parsed.config);
  ASSERT_EQ(parsed.diagnostics.size(), 1U);
  EXPECT_EQ(parsed.diagnostics[0].severity, Severity::warning);
}

TEST(Parse, AResultIsValid) {
  const Parsed parsed = parse("name='x';kernel='k';memory=16777216;maxvcpus=64");
  ASSERT_TRUE(parsed.config);
  EXPECT_TRUE(validate(*parsed.config));
}

struct Override {
  const char* argument;
  const char* command_line;
};

// What `extra=...` on the command line means.
TEST(Overrides, BareWords) {
  const Override cases[] = {
      {"extra=quiet", "quiet"},
      {"extra = quiet ", "quiet"},
      {"extra=a b  c", "a b  c"},
      {"extra=console=hvc0", "console=hvc0"},
      {"extra=/path#x", "/path#x"},
      {"extra=a \"b c\"", "a \"b c\""},
      {"extra=a\\n", "a\\n"},
      {"extra=a;acpi=0", "a"},
      {"extra='a;b'", "a;b"},
      {"extra=\"a\\tb\"", "a\tb"},
      {"extra=5", "5"},
      {"extra=0x10 # sixteen", "0x10"},
      {"extra=5 6", "5 6"},
      {"extra=-5a", "-5a"},
      {"extra=", ""},
      {"extra=a\nextra+=b", "ab"},
      {"extra=(x)", "(x)"},
  };
  for (const Override& expected : cases) {
    const Parsed parsed = parse("name='x';kernel='k'", {expected.argument});
    ASSERT_TRUE(parsed.config) << expected.argument << "\n" << render(parsed.diagnostics);
    EXPECT_EQ(parsed.config->command_line, expected.command_line) << expected.argument;
  }
}

TEST(Overrides, AppendToTheFile) {
  const Parsed parsed = parse("name='x';kernel='k';extra='a'", {"extra+=b", "extra += ' c'"});
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(parsed.config->command_line, "ab c");
}

TEST(Overrides, FileStaysStrict) {
  EXPECT_EQ(messages(parse("name=x")), (std::vector<std::string>{"f:1:6: 'x' is not a value"}));
}

TEST(Overrides, AnUnclosedListDoesNotSwallowTheNext) {
  const Parsed parsed = parse("name='x';kernel='k'", {"memory=[", "vcpus=0"});
  EXPECT_EQ(messages(parsed),
            (std::vector<std::string>{"command line:1:8: the list that begins here is not closed",
                                      "command line:2:7: 'vcpus' must be from 1 to 64, not 0"}));
}

// Every beginning of a text that shows all constructs: no finding lies outside of it.
TEST(Parse, EveryPrefixIsHandled) {
  const std::string text =
      "name='x' # c\nkernel=\"k\\n\\x41\";disk=[ 'a', [1,\n2,], "
      "]\nextra+='\xc3\xa9'\r\nmemory=0x40;vcpus=-1";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string prefix = text.substr(0, length);
    const auto lines =
        static_cast<std::uint32_t>(1 + std::count(prefix.begin(), prefix.end(), '\n'));
    for (const Diagnostic& diagnostic : parse(prefix, {prefix}).diagnostics) {
      EXPECT_LE(diagnostic.location.line, lines + 1);
      EXPECT_FALSE(diagnostic.message.empty());
    }
  }
}

}  // namespace
}  // namespace xl::config
