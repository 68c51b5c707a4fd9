#!/bin/bash
# Makes the rehearsal's media library with ffmpeg and measures it with ffprobe; run from the project's root.
# Every picture is drawn by a filter, so that nothing here belongs to anyone else. One thread and bit-exact
# flags keep the bytes the same from run to run of one ffmpeg (made with 5.1, libx264, libvpx, libwebp).
set -euo pipefail

out=src/rehearsal/library
font=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
rm -rf "$out"
mkdir -p "$out/ugc/2026-11" "$out/ugc/用户上传" "$out/ugc/summer trip + friends" "$out/banners" "$out/videos"

make() { ffmpeg -nostdin -v error -y "$@"; }
exact=(-map_metadata -1 -fflags +bitexact -flags:v +bitexact -threads 1)
sound=(-f lavfi -i "sine=frequency=330:sample_rate=22050")

# picture FILTERS FILE [OPTION ...]: the first frame of a drawn source
picture() {
  local filters=$1 file=$2
  shift 2
  make -f lavfi -i "$filters" -frames:v 1 "${exact[@]}" "$@" "$out/$file"
}

label() { echo "drawtext=fontfile=$font:expansion=none:text='$1':fontsize=$2:fontcolor=white:borderw=3:x=(w-tw)/2:y=(h-th)/2"; }

picture "gradients=s=640x480:c0=orange:c1=purple:x0=0:y0=0:x1=0:y1=479:seed=7" "ugc/2026-11/sunset.jpg" -q:v 5
picture "mandelbrot=s=480x360:start_scale=1.2" "ugc/2026-11/fractal.jpg" -q:v 8
picture "testsrc2=s=360x640" "ugc/2026-11/portrait.jpeg" -q:v 8
picture "testsrc=s=320x240,format=pal8" "ugc/2026-11/test-card.png"
picture "color=c=teal:s=200x200,$(label A 120),format=rgb24" "ugc/用户上传/头像 01.png" # below both vendors' sizes
picture "gradients=s=600x800:c0=darkred:c1=gold:seed=3,$(label 'GRAND OPENING' 56)" "ugc/用户上传/海报.webp" -quality 60
picture "gradients=s=512x384:c0=navy:c1=skyblue:seed=5,$(label '50% + tax' 64)" "ugc/用户上传/价格 50%.jpg" -q:v 6
picture "gradients=s=800x600:c0=khaki:c1=deepskyblue:seed=11" "ugc/summer trip + friends/beach 1.jpg" -q:v 6
picture "testsrc2=s=640x480,gblur=sigma=12,eq=brightness=-0.35:contrast=0.4" "ugc/summer trip + friends/group (dark, blurred).jpg" -q:v 8
picture "mandelbrot=s=400x300:start_scale=0.6,format=yuv420p" "ugc/summer trip + friends/rocks+sea.webp" -quality 40
picture "color=c=crimson:s=1200x400,$(label 'SPRING SALE' 110)" "banners/spring-sale.webp" -quality 70
picture "smptebars=s=640x360,format=rgb24" "banners/colour-bars.png"
make -f lavfi -i "testsrc=s=240x240:r=5:d=2" "${exact[@]}" -loop 0 "$out/banners/counter.gif"
make -f lavfi -i "color=c=black:s=300x300:d=1:r=2,$(label OK 90)" "${exact[@]}" "$out/ugc/2026-11/sticker.gif"

h264=(-c:v libx264 -preset veryslow -crf 34 -pix_fmt yuv420p -x264-params "threads=1:scenecut=0" -bf 2)
make -f lavfi -i "testsrc2=s=320x240:r=25:d=6" "${exact[@]}" "${h264[@]}" -g 50 -movflags +faststart "$out/videos/index-first.mp4"
make -f lavfi -i "testsrc=s=320x180:r=10:d=12" "${sound[@]}" -shortest "${exact[@]}" "${h264[@]}" -g 30 \
  -c:a aac -b:a 16k -flags:a +bitexact "$out/videos/index-last.mp4"
make -f lavfi -i "mandelbrot=s=240x426:r=12:start_scale=1.5:end_pts=60" -t 1 "${exact[@]}" "${h264[@]}" -g 12 \
  "$out/ugc/summer trip + friends/wave + sand.mp4"
make -f lavfi -i "gradients=s=426x240:r=24:d=4:c0=teal:c1=coral:seed=2:speed=0.02" "${exact[@]}" "${h264[@]}" -g 48 \
  "$out/ugc/用户上传/短片.mov"
make -f lavfi -i "life=s=160x120:mold=10:r=10:ratio=0.1:seed=9:death_color=#C83232:life_color=#00ff00,scale=320:240:flags=neighbor" -t 5 \
  "${exact[@]}" -c:v libvpx-vp9 -b:v 0 -crf 55 -g 25 -row-mt 0 "$out/videos/cells.webm"
make -f lavfi -i "testsrc=s=320x240:r=15:d=3" "${sound[@]}" -shortest "${exact[@]}" "${h264[@]}" -g 15 \
  -c:a libopus -b:a 16k -flags:a +bitexact "$out/videos/screen recording.mkv"
make -f lavfi -i "testsrc2=s=256x144:r=25:d=8,eq=brightness=-0.4" "${exact[@]}" "${h264[@]}" -g 100 \
  -f mpegts "$out/videos/camera-3 (night).mpegts" # its key ends in .ts; see library.ts

npx tsx scripts/measure-library.ts >src/rehearsal/library.json
npx biome format --write src/rehearsal/library.json >/dev/null
du -sh --apparent-size "$out"
