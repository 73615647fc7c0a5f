// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/diagnostic.hpp"

#include <gtest/gtest.h>

#include <string>

#include "libxl++/config/source_text.hpp"

namespace xl::config {
namespace {

TEST(SourceText, LocatesInCharacters) {
  const SourceText source("f", "one\n\xc3\xa9t\xc3\xa9 = 1\n");
  const Location location = source.locate(4 + 6, 1);
  EXPECT_EQ(location.line, 2U);
  EXPECT_EQ(location.column, 5U);
  EXPECT_EQ(location.length, 1U);
}

TEST(SourceText, SpansEndWithTheirLine) {
  const SourceText source("f", "a = [\r\n1 ]\n");
  EXPECT_EQ(source.locate(4, 6).length, 1U);
  EXPECT_EQ(source.snippet(4, 6).text, "a = [");
  EXPECT_EQ(source.snippet(4, 6).width, 1U);
}

TEST(SourceText, PlacesBehindTheEndAreAtTheEnd) {
  const SourceText source("f", "abc");
  const Location location = source.locate(10, 5);
  EXPECT_EQ(location.line, 1U);
  EXPECT_EQ(location.column, 4U);
  EXPECT_EQ(location.length, 1U);
  EXPECT_EQ(source.snippet(10, 5).caret, 3U);
}

TEST(SourceText, TheEndBehindANewlineIsANewLine) {
  const SourceText source("f", "abc\n");
  EXPECT_EQ(source.locate(4, 0).line, 2U);
  EXPECT_EQ(source.locate(4, 0).column, 1U);
  EXPECT_EQ(source.snippet(4, 0).text, "");
}

TEST(SourceText, TheCaretStandsUnderTheCharacterBehindTabsAndEscapes) {
  const SourceText source("f", "\tx\x01\xff\xc3\xa9y");
  const Snippet snippet = source.snippet(6, 1);
  EXPECT_EQ(snippet.text, "        x\\x01\\xff\xc3\xa9y");
  EXPECT_EQ(snippet.caret, 8U + 1 + 4 + 4 + 1);
  EXPECT_EQ(snippet.width, 1U);
}

TEST(SourceText, ShortLinesAreShownWhole) {
  const std::string line(90, 'x');
  const SourceText source("f", line);
  EXPECT_EQ(source.snippet(89, 1).text, line);
  EXPECT_EQ(source.snippet(89, 1).caret, 89U);
}

// Wherever the caret stands in a long line, it is in the window and under its character.
TEST(SourceText, LongLinesAreCutAroundTheCaret) {
  std::string line;
  for (int i = 0; i < 2000; ++i) line += static_cast<char>('a' + i % 26);
  const SourceText source("f", line);
  for (std::uint32_t at = 0; at < line.size(); ++at) {
    const Snippet snippet = source.snippet(at, 5);
    ASSERT_LE(snippet.text.size(), 96U);
    ASSERT_LT(snippet.caret, snippet.text.size());
    ASSERT_EQ(snippet.text[snippet.caret], line[at]) << at;
    ASSERT_LE(snippet.caret + snippet.width, snippet.text.size());
  }
}

TEST(SourceText, LongLinesOfWideCharactersAreCutBetweenThem) {
  std::string line;
  for (int i = 0; i < 1000; ++i) line += "\xe2\x82\xac";
  const SourceText source("f", line);
  const Snippet snippet = source.snippet(1500, 3);
  EXPECT_TRUE(snippet.text.starts_with("...\xe2\x82\xac"));
  EXPECT_TRUE(snippet.text.ends_with("\xe2\x82\xac..."));
}

TEST(Render, WithAndWithoutAPlace) {
  Diagnostic diagnostic{Severity::warning, {"f.cfg", 3, 5, 2}, "odd", "do so", {"a = bc", 4, 2}};
  EXPECT_EQ(render(diagnostic), "f.cfg:3:5: warning: odd\n    a = bc\n        ^~\n  hint: do so\n");
  EXPECT_EQ(summary(diagnostic), "f.cfg:3:5: odd");
  diagnostic.location = {"f.cfg", 0, 0, 0};
  diagnostic.hint.clear();
  EXPECT_EQ(render(diagnostic), "f.cfg: warning: odd\n");
}

TEST(Render, AFileNameCannotReachTheTerminalRaw) {
  const Diagnostic diagnostic{Severity::error, {"a\x1b[2J", 0, 0, 0}, "m", "", {}};
  EXPECT_EQ(render(diagnostic), "a\\x1b[2J: error: m\n");
}

}  // namespace
}  // namespace xl::config
