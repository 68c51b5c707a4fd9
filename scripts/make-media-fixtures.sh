#!/bin/sh
# Makes the small media files of test/fixtures/media with Debian's ffmpeg 5.1, and truth.json, what ffprobe says of them.
# Run from the project's root; the files are committed, so that tests need no ffmpeg.
set -eu
folder=test/fixtures/media
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
make() { ffmpeg -v error -y -bitexact "$@"; }
copy() { make -i base.mp4 -c copy -flags +bitexact -fflags +bitexact "$@"; }

make -f lavfi -i testsrc=size=64x48:rate=10 -t 3.2 -c:v libx264 -preset veryslow -crf 45 -g 10 -keyint_min 10 \
  -sc_threshold 0 -pix_fmt yuv420p base.mp4
make -f lavfi -i sine=frequency=440:sample_rate=8000 -t 3.5 -c:a aac -b:a 8k -ac 1 sound.mp4
make -i sound.mp4 -i base.mp4 -c copy -map 0:a -map 1:v sound-first.mov
make -i sound.mp4 -i base.mp4 -c copy -movflags frag_keyframe+empty_moov+skip_trailer fragmented-sound.mp4
copy -movflags +faststart first.mp4
copy -metadata:s:v:0 rotate=90 turned.mov
make -i base.mp4 -an -t 0.5 -c:v mjpeg -q:v 30 every-frame.mov
copy -movflags frag_keyframe+empty_moov fragmented.mp4
copy -movflags frag_keyframe+empty_moov+skip_trailer fragmented-no-index.mp4
copy -movflags frag_keyframe+skip_trailer fragmented-hybrid.mp4
copy -movflags dash+global_sidx+skip_trailer fragmented-segments.mp4
make -itsoffset 5000 -i base.mp4 -c copy -avoid_negative_ts disabled \
  -movflags frag_keyframe+empty_moov+default_base_moof+skip_trailer fragmented-late.mp4
copy plain.mkv
copy -cues_to_front 1 -reserve_index_space 512 cues-first.mkv
copy -f matroska - >recorded.mkv
make -i base.mp4 -an -c:v libvpx -b:v 10k -g 10 plain.webm
make -i base.mp4 -an -c:v libvpx -b:v 10k -g 10 -f webm -live 1 - >recorded.webm
copy -f mpegts plain.mpegts
copy -f mpegts -mpegts_m2ts_mode 1 plain.m2ts
make -itsoffset 95440 -i base.mp4 -c copy -avoid_negative_ts disabled -f mpegts over-the-round.mpegts
make -i sound.mp4 -c copy -f mpegts sound.mpegts
copy -t 0.5 other.flv

for format in jpg png gif bmp tiff webp; do
  make -f lavfi -i testsrc=size=30x20:rate=1 -frames:v 1 "picture.$format"
done

{
  printf '{\n'
  separator=''
  for file in *; do
    seconds=$(ffprobe -v error -of csv=p=0 -show_entries format=duration "$file" || true)
    size=$(ffprobe -v error -of csv=p=0 -select_streams v:0 -show_entries stream=width,height "$file" | head -n 1)
    keys=$(ffprobe -v error -of csv=p=0 -select_streams v:0 -show_entries packet=flags "$file" | grep -c '^K' || true)
    printf '%s  "%s": { "seconds": "%s", "size": "%s", "keyFrames": %s }' "$separator" "$file" "$seconds" "$size" "$keys"
    separator=',
'
  done
  printf '\n}\n'
} >../media-truth.json
mv ../media-truth.json truth.json
