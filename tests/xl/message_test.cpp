// SPDX-License-Identifier: Apache-2.0
#include "xl/message.hpp"

#include <gtest/gtest.h>

#include "xl/global_options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
namespace {

MessageStyle coloured() {
  MessageStyle style;
  style.colours = true;
  return style;
}

TEST(Messages, AreLeftAloneWithoutColours) {
  const std::string text = "a.cfg:1:2: error: no\n    memory = [\n         ^\nxl: warning: x\n";
  EXPECT_EQ(dressed(text, {}), text);
}

TEST(Messages, HaveTheColoursOfACompiler) {
  EXPECT_EQ(dressed("xl: error: no\n", coloured()),
            "\033[1mxl:\033[0m \033[1;31merror:\033[0m no\n");
  EXPECT_EQ(dressed("a.cfg:1:2: warning: say: error: no\n    m = [\n    ^~~\n", coloured()),
            "\033[1ma.cfg:1:2:\033[0m \033[1;35mwarning:\033[0m say: error: no\n"
            "    m = [\n\033[1;32m    ^~~\033[0m\n");
  EXPECT_EQ(dressed("  hint: try\n", coloured()), "\033[1;36m  hint:\033[0m try\n");
}

TEST(Messages, QuotedSourceIsNotTakenForAMessage) {
  const std::string quoted = "    x: error: ^\n";
  EXPECT_EQ(dressed(quoted, coloured()), quoted);
}

TEST(Messages, AreStampedOnceEach) {
  MessageStyle style;
  style.stamp = "12:00 [7] ";
  EXPECT_EQ(dressed("a.cfg:1:2: error: no\n    m\n    ^\na.cfg:2: note: y", style),
            "12:00 [7] a.cfg:1:2: error: no\n    m\n    ^\n12:00 [7] a.cfg:2: note: y");
}

TEST(Progress, IsOneLineNoWiderThanTheTerminal) {
  EXPECT_EQ(progress_line("waiting", "", 3, 80), "waiting ... 3 s");
  EXPECT_EQ(progress_line("writing", "45 % of 512 MiB", 3, 80), "writing ... 45 % of 512 MiB, 3 s");
  EXPECT_EQ(progress_line("waiting", "", 3, 8), "waiting");
}

Outcome<GlobalOptions> parse(std::vector<const char*> words) {
  std::vector<char*> copy;
  for (const char* word : words) {
    copy.push_back(const_cast<char*>(word));
  }
  return parse_global_options(copy);
}

TEST(GlobalOptions, StandBeforeTheCommandAndJoin) {
  const Outcome<GlobalOptions> options = parse({"-vNv", "-tT", "-f", "create", "-n"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->words, 3u);
  EXPECT_EQ(options->arguments.verbosity, 2);
  EXPECT_TRUE(options->arguments.dry_run);
  EXPECT_TRUE(options->arguments.carriage_return);
  EXPECT_TRUE(options->arguments.stamps);
  EXPECT_TRUE(options->arguments.force);
  EXPECT_FALSE(options->help);
  EXPECT_FALSE(parse({"list", "-N"})->arguments.dry_run);
  EXPECT_TRUE(parse({"-vh"})->help);
  EXPECT_EQ(parse({"--", "-N"})->words, 1u);
}

TEST(GlobalOptions, WrongOnesAreNamed) {
  EXPECT_EQ(parse({"-vx"}).error().text,
            "there is no global option '-x'; there are -v -N -f -t -T");
  EXPECT_EQ(parse({"--force"}).error().text,
            "there is no global option '--force'; there are -v -N -f -t -T");
  EXPECT_EQ(parse({"-"}).error().exit, Exit::usage);
}

}  // namespace
}  // namespace xl::cli
