/** Words that the stand-in answers with: classes as documented, labels invented. */

export const ageRanges = ['0-2', '3-9', '10-19', '20-29', '30-39', '40-49', '50-59', '60-69', '70+'];

/** Classes of a face (SDK manual 2024-08-26, face attributes). */
export const faceClasses = {
  FaceShape: ['三角脸', '圆脸', '心形脸', '方形脸', '椭圆脸', '菱形脸', '长脸'],
  HairColor: ['其他颜色', '咖啡色', '奶奶灰', '栗色', '棕色', '渐变色', '酒红色', '金色', '黄色', '黑色'],
  MaleHairStyle: ['分发', '圆寸', '子弹头', '平头', '板寸', '毛寸', '碎发', '背头', '莫西干'],
} as const;

export const femaleClasses = {
  BangsType: ['中分刘海', '刘海编发', '斜刘海', '无刘海', '空气刘海', '齐刘海'],
  FemaleCurlyHairType: ['云朵卷', '大波浪', '小波浪', '氧气卷', '空气卷', '羊毛卷', '蛋卷'],
  FemaleHairType: ['卷发', '盘发', '直发'],
  FemaleLongShortHair: ['中长发', '短发', '长发'],
} as const;

export const imageTags = [
  '风景',
  '天空',
  '海滩',
  '夜景',
  '城市',
  '建筑',
  '美食',
  '猫',
  '狗',
  '花卉',
  '植物',
  '笑容',
  '人像',
  '汽车',
  '文字',
  '图案',
  '色块',
  '山川',
];

export const videoTags = [
  '有字幕',
  '航拍',
  '延时摄影',
  '园艺',
  '乒乓球',
  '健身',
  '烹饪',
  '旅行',
  '动画',
  '测试画面',
  '手工',
  '街景',
  '演奏',
  '钓鱼',
];

export const videoClasses = [
  '生活',
  '体育',
  '旅游',
  '美食',
  '三农',
  '科技',
  '音乐',
  '动漫',
  '教育',
  '游戏',
  '汽车',
  '宠物',
];

export const paintingWords = [
  'general',
  'solo',
  'long hair',
  'smile',
  'outdoors',
  'sky',
  'simple background',
  'no humans',
  'scenery',
  'cloud',
  'city lights',
  'pattern',
];
