import { describe, expect, it } from 'vitest';
import type { Item } from '../../../src/domain/item.ts';
import type { Service, SubmitElement } from '../../../src/domain/service.ts';
import { findService } from '../../../src/domain/service.ts';
import { pai } from '../../../src/vendors/pai/index.ts';

const item: Item = { id: 'a', position: new Uint8Array() };
const link = 'https://m.example/a?x=1&y=<2>';

function find(name: string): Service {
  const found = findService([pai], name);
  if (!found) throw new Error(`no service ${name}`);
  return found.service;
}

function submit(
  name: string,
  {
    options = {},
    model = '',
    elements = [{ ref: 'r', item, link }],
    isBatch = false,
  }: {
    options?: unknown;
    model?: string;
    elements?: readonly SubmitElement[];
    isBatch?: boolean;
  } = {},
) {
  const service = find(name);
  return service.submit({
    elements,
    options: service.options.parse(options),
    model,
    delivery: service.deliveries[0] ?? 'call',
    isBatch,
  });
}

const image = (rest: string, action: string) => `{"action":"${action}","image":"${link}"${rest}}`;

describe('an image call', () => {
  it.each([
    ['pai/image-quality', {}, image('', 'ImageQA')],
    ['pai/face-attributes', {}, image('', 'FaceAttrImage')],
    ['pai/face-age', {}, image(',"model_name":"fairface"', 'FaceAttrImage')],
    ['pai/image-labels', {}, image('', 'MultiLabelImageV2')],
    ['pai/image-labels', { tag_top_k: 10, output_embedding: true }, image('', 'MultiLabelImageV2')],
    [
      'pai/image-labels',
      { tag_top_k: 5, output_embedding: false },
      image(',"configure":{"output_embedding":false,"tag_top_k":5}', 'MultiLabelImageV2'),
    ],
    [
      'pai/painting-labels',
      { threshold: 0.5, tagger_type: 'RAM' },
      image(',"model_name":"tagger","configure":{"tagger_type":"RAM","threshold":0.5}', 'MultiLabelImageV2'),
    ],
    ['pai/body-reshaping', {}, image(',"model_name":"body_reshaping"', 'MultiLabelImageV2')],
    [
      'pai/body-reshaping',
      { degree: 1.2 },
      image(',"model_name":"body_reshaping","configure":{"degree":1.2}', 'MultiLabelImageV2'),
    ],
    ['pai/watermark-removal', {}, image(',"model_name":"watermark_remover"', 'MultiLabelImageV2')],
  ])('%s with %o is compact JSON without empty fields', (name, options, body) => {
    expect(submit(name, { options })).toEqual({
      method: 'POST',
      path: '/api/v1/images',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body,
    });
  });

  it('sends a custom model by name, instead of the service’s own', () => {
    const other = submit('pai/face-age', { model: 'ours' });
    expect(other.body).toBe(image(',"model_name":"ours"', 'FaceAttrImage'));
    const call = submit('pai/image-quality', { model: 'ours' });
    expect(call.body).toBe(image(',"model_name":"ours"', 'ImageQA'));
  });

  it('sends the image of a data: link as bare base64', () => {
    const elements = [{ ref: 'r', item, link: 'data:image/png;base64,iVBORw0KGgo=' }];
    expect(submit('pai/image-quality', { elements }).body).toBe(
      '{"action":"ImageQA","image":"iVBORw0KGgo="}',
    );
  });
});

describe('a video call', () => {
  const titled = { ...item, title: '标题' };

  it.each([
    ['pai/video-quality', {}, `{"action":"VideoQA","video_url":"${link}"}`],
    [
      'pai/video-labels',
      { tag_top_k: 10, classification_top_k: 1, output_embedding: false },
      `{"action":"ClassifyLabelVideo","video_url":"${link}","video_title":"标题","configure":{"output_embedding":false,"tag_top_k":10}}`,
    ],
  ])('%s with %o has video_url and video_title', (name, options, body) => {
    const call = submit(name, { options, elements: [{ ref: 'r', item: titled, link }] });
    expect([call.method, call.path, call.body]).toEqual(['POST', '/api/v1/videos', body]);
  });

  it('has url and title inside a batch, in the order of its elements', () => {
    const elements = [
      { ref: '1', item: titled, link: 'https://m.example/1' },
      { ref: '2', item, link: 'https://m.example/2' },
    ];
    const call = submit('pai/video-labels', { elements, isBatch: true, options: { tag_top_k: 3 } });
    expect(call.path).toBe('/api/v1/batch_videos');
    expect(call.body).toBe(
      '{"action":"ClassifyLabelVideo","videos":[{"url":"https://m.example/1","title":"标题"},' +
        '{"url":"https://m.example/2"}],"configure":{"tag_top_k":3}}',
    );
  });

  it('is a batch even of one element where a batch was meant', () => {
    const call = submit('pai/video-quality', { isBatch: true });
    expect(call.body).toBe(`{"action":"VideoQA","videos":[{"url":"${link}"}]}`);
  });
});

describe('a post', () => {
  it('sends its text after its title, its images and its video, in the Go SDK’s order', () => {
    const post: Item = {
      ...item,
      kind: 'post',
      title: '标题',
      text: '晨跑 5 km',
      videoUrl: 'https://v.example/c.mp4?a=1&b=2',
      images: ['https://i.example/0.jpg', 'https://i.example/1.jpg'],
    };
    expect(submit('pai/post-labels', { elements: [{ ref: 'r', item: post }] }).body).toBe(
      '{"action":"MultiModalClassify","video_url":"https://v.example/c.mp4?a=1&b=2","model_name":"multi_modal_tag",' +
        '"text":"标题\\n晨跑 5 km","images":["https://i.example/0.jpg","https://i.example/1.jpg"]}',
    );
  });

  it('sends video_url even where there is none, and no empty images or text', () => {
    const elements = [{ ref: 'r', item: { ...item, kind: 'post' as const, images: [] } }];
    expect(submit('pai/post-labels', { elements }).body).toBe(
      '{"action":"MultiModalClassify","video_url":"","model_name":"multi_modal_tag"}',
    );
  });
});

describe('reads', () => {
  it('are a POST without a body for a job and a GET for a batch', () => {
    for (const name of ['pai/video-quality', 'pai/video-labels']) {
      expect(find(name).poll?.('1012', false)).toEqual({
        method: 'POST',
        path: '/api/v1/async_jobs/1012',
        headers: { Accept: 'text/plain' },
      });
      expect(find(name).poll?.('batch-14', true)).toEqual({
        method: 'GET',
        path: '/api/v1/batch_jobs/14',
        headers: { Accept: 'text/plain' },
      });
    }
  });
});

describe('options', () => {
  const range = 'expected a whole number from 1 to 10. Vendor\'s manual, "Configure parameters".';

  it.each([
    ['pai/image-labels', { tag_top_k: 50 }, range],
    ['pai/image-labels', { tag_top_k: 0 }, range],
    ['pai/image-labels', { tag_top_k: 1.5 }, range],
    ['pai/image-labels', { tag_top_k: '5' }, range],
    ['pai/video-labels', { classification_top_k: 11 }, range],
    ['pai/post-labels', { tag_top_k: -1 }, range],
    ['pai/image-labels', { output_embedding: 'yes' }, 'Invalid input: expected boolean, received string'],
    ['pai/image-quality', { tag_top_k: 5 }, 'Unrecognized key: "tag_top_k"'],
    ['pai/body-reshaping', { degree: 'slim' }, 'Invalid input: expected number, received string'],
  ])('%s refuses %o', (name, options, message) => {
    expect(find(name).options.safeParse(options).error?.issues[0]?.message).toBe(message);
  });

  it('refuse a tagger that the manual does not name, naming those that it does', () => {
    const issue = find('pai/painting-labels').options.safeParse({ tagger_type: 'wd' }).error?.issues[0];
    expect(issue?.message).toContain('"SmilingWolf/wd-v1-4-convnext-tagger-v2"');
  });

  it('enlarge a figure by default: degree is -1.5', () => {
    expect(findService([pai], 'pai/body-reshaping')?.service.options.parse({})).toEqual({ degree: -1.5 });
  });

  it('have 10 labels by default for images but 5 for videos and posts', () => {
    expect(find('pai/image-labels').options.parse({})).toEqual({ tag_top_k: 10, output_embedding: true });
    for (const name of ['pai/video-labels', 'pai/post-labels']) {
      expect(find(name).options.parse({})).toEqual({
        output_classification: true,
        classification_top_k: 1,
        output_tag: true,
        tag_top_k: 5,
        output_embedding: true,
      });
    }
  });

  it.each([
    ['pai/body-reshaping', { degree: -1.5 }, []],
    ['pai/body-reshaping', { degree: 3 }, []],
    [
      'pai/body-reshaping',
      { degree: -3 },
      ['degree is -3: -2.5 to -1.5 is advised for enlarging, above 0 slims. Vendor\'s manual, "degree".'],
    ],
    ['pai/video-labels', { output_tag: false }, []],
    [
      'pai/post-labels',
      { output_tag: false, output_classification: false },
      [
        'output_classification and output_tag are both false: the answer has no labels. Set one of them to true.',
      ],
    ],
  ])('%s warns of %o', (name, options, warnings) => {
    const service = find(name);
    expect(service.warn?.(service.options.parse(options))).toEqual(warnings);
  });

  it('take columns away that they switch off', () => {
    const service = find('pai/video-labels');
    const { tops } = service.columns(service.options.parse({ output_classification: false }));
    expect(tops.map(({ op }) => op)).toEqual(['tag']);
  });
});

describe('usage', () => {
  it.each(
    pai.services.map((service) => ({ name: service.name, service })),
  )('$name is one unit of its spec for each element, known beforehand', ({ service }) => {
    const sku = service.kinds[0] === 'image' ? 'pai/basic' : 'pai/advanced';
    const options = service.options.parse({});
    for (const unitsPerCall of [1, 4]) {
      const usage = service.usage({ item, media: {}, use: { options, unitsPerCall }, assume: {} });
      expect(usage).toEqual({ units: { [sku]: unitsPerCall }, basis: 'observed' });
    }
  });
});
