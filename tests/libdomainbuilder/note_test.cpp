// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <xen/elfnote.h>

#include "libdomainbuilder/image/note_reader.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"

namespace xl::build {
namespace {

using namespace fixture;

NoteTable read(const Blob& table, std::uint64_t alignment = 4) {
  return read_notes(ByteView(table), alignment);
}

TEST(NoteTest, NumbersOfFourAndEightBytes) {
  const NoteTable table =
      read(make_notes({number_note(NoteType::phys32_entry, 0x1000850, 4),
                       number_note(NoteType::virt_base, 0xffffffff80000000, 8)}));
  ASSERT_EQ(table.notes.size(), 2u);
  EXPECT_EQ(table.fault, "");
  EXPECT_EQ(table.notes[0].name, "PHYS32_ENTRY");
  EXPECT_EQ(table.notes[0].number, 0x1000850u);
  EXPECT_EQ(table.notes[1].number, 0xffffffff80000000u);
  EXPECT_EQ(table.notes[1].descriptor_size, 8u);
}

TEST(NoteTest, EitherAlignmentWhateverTheHeaderSays) {
  // An odd descriptor in front makes the two alignments differ.
  for (const std::size_t real : {4u, 8u}) {
    for (const std::uint64_t said : {0u, 1u, 4u, 8u}) {
      const NoteTable table = read(make_notes({text_note(NoteType::guest_os, "tiny1"),
                                               text_note(NoteType::loader, "generic"),
                                               number_note(NoteType::phys32_entry, 7, 4)},
                                              real),
                                   said);
      EXPECT_EQ(table.fault, "") << real << " " << said;
      const Note* const note = find_note(table.notes, NoteType::phys32_entry);
      ASSERT_NE(note, nullptr) << real << " " << said;
      EXPECT_EQ(note->number, 7u);
    }
  }
}

TEST(NoteTest, EveryTypeOfTheHeaderHasItsName) {
  for (std::uint32_t type = 0; type <= XEN_ELFNOTE_MAX; ++type) {
    EXPECT_NE(note_name(type), "") << type;
  }
  EXPECT_EQ(note_name(XEN_ELFNOTE_CRASH_INFO), "CRASH_INFO");
  EXPECT_EQ(note_name(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION), "DUMPCORE_FORMAT_VERSION");
  EXPECT_EQ(note_name(XEN_ELFNOTE_MAX + 1), "");
  EXPECT_EQ(decode_note(0x77, {}).name, "unknown 0x77");
}

TEST(NoteTest, TextIsMadeHarmless) {
  const Note note = decode_note(XEN_ELFNOTE_GUEST_OS, to_blob("a\x1b[2J\\"));
  EXPECT_EQ(note.text, "a\\x1b[2J\\x5c");
  EXPECT_EQ(decode_note(XEN_ELFNOTE_LOADER, to_blob({"x\0hidden", 8})).text, "x");
  EXPECT_EQ(decode_note(XEN_ELFNOTE_LOADER, {}).text, "");
}

TEST(NoteTest, OddSizedNumbersStayBytes) {
  const Note note = decode_note(XEN_ELFNOTE_PHYS32_ENTRY, to_blob("\x01\x02"));
  EXPECT_FALSE(note.number);
  EXPECT_EQ(note.bytes, "0102");
}

TEST(NoteTest, OtherOwnersAreNoNotesOfXen) {
  const NoteTable table = read(make_notes({{18, to_blob("abcd"), "GNU"},
                                           {18, to_blob("abcd"), "Xen2"},
                                           {18, to_blob("abcd"), "Xe"},
                                           number_note(NoteType::entry, 1, 8)}));
  ASSERT_EQ(table.notes.size(), 1u);
  EXPECT_EQ(table.notes[0].type, 1u);
}

TEST(NoteTest, LyingSizesAreFaults) {
  const Blob good = make_notes({number_note(NoteType::phys32_entry, 1, 4)});
  for (const std::size_t field : {0u, 4u}) {
    for (const std::uint32_t size : {100u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
      Blob bad = good;
      poke(bad, field, size);
      const NoteTable table = read(bad);
      EXPECT_TRUE(table.notes.empty());
      EXPECT_NE(table.fault, "");
    }
  }
}

TEST(NoteTest, TruncationAnywhereIsAFaultOrEndsTheTable) {
  const Blob good = make_notes({number_note(NoteType::phys32_entry, 1, 8)});
  for (std::size_t size = 0; size < good.size(); ++size) {
    const NoteTable table = read(Blob(good.begin(), good.begin() + static_cast<long>(size)));
    EXPECT_TRUE(table.notes.empty()) << size;
    EXPECT_EQ(table.fault.empty(), size < 12) << size;
  }
}

TEST(NoteTest, ATableOfMillionsOfNotesIsCut) {
  const NoteTable table = read(Blob(12 * 100000));  // all zero: empty notes
  EXPECT_NE(table.fault, "");
}

TEST(FeaturesTest, StringAndMask) {
  const std::vector<Note> notes =
      read(make_notes(
               {text_note(
                    NoteType::features,
                    "!writable_page_tables|pae_pgdir_above_4gb|nonsense||auto_translated_physmap"),
                number_note(NoteType::supported_features, 0x8801, 4)}))
          .notes;
  const Features features = decode_features(notes);
  EXPECT_EQ(features.required, std::vector<std::string>{"writable_page_tables"});
  EXPECT_EQ(features.supported,
            (std::vector<std::string>{"writable_page_tables", "auto_translated_physmap",
                                      "pae_pgdir_above_4gb", "dom0", "linux_rsdp_unrestricted"}));
  EXPECT_EQ(features.unknown, std::vector<std::string>{"nonsense"});
  EXPECT_EQ(features.required_mask, 1u);
  EXPECT_EQ(features.supported_mask, 0x8815u);
}

}  // namespace
}  // namespace xl::build
