// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"

#include <gtest/gtest.h>

#include <map>

#include "xl/groups.hpp"
#include "xl/memory_size.hpp"
#include "xl/options.hpp"

namespace xl::cli {
namespace {

TEST(Commands, AreFoundByNameAndUnambiguousPrefix) {
  for (const Command& command : commands()) {
    const Outcome<const Command*> found = find_command(command.name);
    ASSERT_TRUE(found) << command.name;
    EXPECT_EQ(*found, &command);
  }
  EXPECT_EQ((*find_command("cr"))->name, "create");
  EXPECT_EQ((*find_command("unp"))->name, "unpause");
  EXPECT_EQ((*find_command("l"))->name, "list");
}

TEST(Commands, RefusedOnesSayWhyAndWhatToDo) {
  ASSERT_FALSE(refused_commands().empty());
  for (const Command& command : refused_commands()) {
    EXPECT_EQ(*find_command(command.name), &command);
    EXPECT_EQ(command.run, nullptr) << command.name;
    EXPECT_NE(command.summary.find("; "), std::string_view::npos) << command.name;
    EXPECT_NE(command.summary.back(), '.') << command.name;
    for (const Command& other : commands()) {
      EXPECT_NE(command.name, other.name);
      EXPECT_NE(other.run, nullptr);
    }
  }
}

TEST(Commands, EachStandsInOneGroupOfTheLongHelp) {
  std::map<std::string_view, int> seen;
  for (const CommandGroup& group : command_groups()) {
    for (const std::string_view name : group.names) {
      const Outcome<const Command*> found = find_command(name);
      EXPECT_TRUE(found && (*found)->name == name) << name;
      EXPECT_EQ(++seen[name], 1) << name;
    }
  }
  EXPECT_EQ(seen.size(), commands().size() + refused_commands().size());
}

TEST(Commands, AShortenedNameIsOneThatWorksIfItCanBe) {
  EXPECT_EQ((*find_command("l"))->name, "list");  // not loadpolicy
  EXPECT_EQ((*find_command("qemu"))->name, "qemu-monitor-command");
  EXPECT_EQ(find_command("cd").error().text, "'cd' may mean cd-insert, cd-eject");
}

TEST(Commands, AmbiguousAndUnknownOnesSayWhy) {
  EXPECT_EQ(find_command("do").error().text, "'do' may mean domid, domname, doctor");
  EXPECT_EQ(find_command("u").error().text, "'u' may mean unpause, usb-list, uptime");
  EXPECT_EQ(find_command("creaate").error().text,
            "there is no command 'creaate' (did you mean 'create'?); see `xl help`");
  EXPECT_EQ(find_command("cd-ejct").error().text,
            "there is no command 'cd-ejct' (did you mean 'cd-eject'?); see `xl help`");
  EXPECT_EQ(find_command("nonsense").error().text, "there is no command 'nonsense'; see `xl help`");
  EXPECT_EQ(find_command("do").error().exit, Exit::usage);
}

TEST(MemorySize, IsInMebibytesOrAsTheSuffixSays) {
  const std::pair<const char*, std::uint64_t> amounts[] = {
      {"160", 160 << 10}, {"160m", 160 << 10}, {"160M", 160 << 10}, {"2g", 2 << 20},
      {"1t", 1 << 30},    {"4096k", 4096},     {"8192b", 8},        {"1023b", 0}};
  for (const auto& [text, kib] : amounts) {
    const Outcome<std::uint64_t> parsed = parse_memory_kib(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, kib) << text;
  }
  for (const char* text : {"", "m", "-1", "+1", "1mm", "1.5g", "0x10", " 1", "1 m", "1q",
                           "18446744073709551616", "16777216t", "18014398509481984k"}) {
    const Outcome<std::uint64_t> parsed = parse_memory_kib(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().exit, Exit::usage) << text;
  }
  EXPECT_EQ(memory_text(160 << 10), "160 MiB");
  EXPECT_EQ(memory_text(1025), "1025 KiB");
}

Outcome<Options> parse(std::vector<std::string> words) {
  Arguments arguments;
  arguments.command = "pause";
  arguments.words = std::move(words);
  return Options::parse(arguments, "cqf:", {{"quiet", 'q'}, {"file", 'f', true}});
}

TEST(Options, StandAnywhereAndJoin) {
  const Outcome<Options> options = parse({"a", "-cq", "k=v", "-f", "x", "--", "-c"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->has('c'));
  EXPECT_TRUE(options->has('q'));
  EXPECT_STREQ(options->value('f'), "x");
  EXPECT_EQ(options->words(), (std::vector<std::string>{"a", "k=v", "-c"}));
}

TEST(Options, LongOnesAreTheSame) {
  const Outcome<Options> options = parse({"--quiet", "--file=y"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->has('q'));
  EXPECT_FALSE(options->has('c'));
  EXPECT_STREQ(options->value('f'), "y");
}

TEST(Options, WrongOnesAreNamed) {
  EXPECT_EQ(parse({"-z"}).error().text, "there is no option '-z'");
  EXPECT_EQ(parse({"-cz"}).error().text, "there is no option '-z'");
  EXPECT_EQ(parse({"--zip"}).error().text, "there is no option '--zip'");
  EXPECT_EQ(parse({"--quite"}).error().text,
            "there is no option '--quite' (did you mean '--quiet'?)");
  EXPECT_EQ(parse({"--fiel=x"}).error().text,
            "there is no option '--fiel=x' (did you mean '--file'?)");
  EXPECT_EQ(parse({"--quiet=x"}).error().text, "option '--quiet' takes no value");
  EXPECT_EQ(parse({"a", "-f"}).error().text, "option '-f' needs a value");
  EXPECT_EQ(parse({"a", "--file"}).error().text, "option '--file' needs a value");
}

TEST(Options, WordsAreCounted) {
  EXPECT_EQ(parse({"a", "b"})->need_words(0, 1).error().text, "'b' is one argument too many");
  EXPECT_EQ(parse({})->need_words(1, 1).error().text,
            "an argument is missing: `xl pause <Domain>`");
  EXPECT_EQ(parse({"a"})->need_words(3, 3).error().text,
            "arguments are missing: `xl pause <Domain>`");
  EXPECT_TRUE(parse({"a"})->need_words(1, 1));
}

TEST(Failures, HaveTheirExitStatus) {
  const auto status = [](ErrorCode code) { return Failure(Error{code, "x", {}, {}}).exit; };
  EXPECT_EQ(status(ErrorCode::invalid_config), Exit::invalid);
  EXPECT_EQ(status(ErrorCode::invalid_image), Exit::invalid);
  EXPECT_EQ(status(ErrorCode::not_found), Exit::not_found);
  EXPECT_EQ(status(ErrorCode::hypervisor_gone), Exit::unreachable);
  EXPECT_EQ(status(ErrorCode::no_memory), Exit::failure);
}

}  // namespace
}  // namespace xl::cli
